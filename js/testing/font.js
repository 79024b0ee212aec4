/**
 * A bitmap font of five by seven dots: Latin capitals, digits and punctuation.
 */

const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;

/** The empty columns between two characters. */
const GAP = 1;

/** @type {Record<string, string>} seven rows of five dots, each row a number in base 32 */
const GLYPHS = {
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hpljhhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllrh',
  X: 'hha4ahh',
  Y: 'hha4444',
  Z: 'v1248gv',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh168gv',
  3: 'u11e11u',
  4: '26aiv22',
  5: 'vgu11he',
  6: 'egguhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf11e',
  ' ': '0000000',
  '.': '00000cc',
  ',': '0000c48',
  '!': '4444404',
  '?': 'eh16404',
  ':': '0cc0cc0',
  ';': '0cc0c48',
  "'": '4440000',
  '"': 'aaa0000',
  '-': '000v000',
  '+': '044v440',
  '/': '11248gg',
  '(': '2488842',
  ')': '8422248',
  '&': 'cik8lid',
  '%': 'pq248bj',
  '#': 'aavavaa',
  '=': '00v0v00',
  '*': '04lel40',
  '@': 'ehnlnge',
  _: '000000v',
  $: '4fke5u4',
};

/** Stands for any character that the font does not have. */
const UNKNOWN = 'vhhhhhv';

/**
 * How many columns a text takes.
 *
 * @param {string} text
 */
export function textColumns(text) {
  return Math.max(0, glyphsOf(text).length * (GLYPH_WIDTH + GAP) - GAP);
}

/**
 * Calls `dot` for each dot of a text.
 *
 * @param {string} text
 * @param {(column: number, row: number) => void} dot
 */
export function drawText(text, dot) {
  glyphsOf(text).forEach((glyph, position) => {
    for (let row = 0; row < GLYPH_HEIGHT; row++) {
      const dots = Number.parseInt(glyph[row], 32);
      for (let column = 0; column < GLYPH_WIDTH; column++) {
        if ((dots >> (GLYPH_WIDTH - 1 - column)) & 1) {
          dot(position * (GLYPH_WIDTH + GAP) + column, row);
        }
      }
    }
  });
}

/** @param {string} text */
function glyphsOf(text) {
  // Decomposed, so that a letter with an accent is drawn as the letter. The others are composed again:
  // a Korean syllable is one character, not three.
  const plain = text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .normalize('NFC')
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[–—]/g, '-')
    .toUpperCase();
  return [...plain].map((character) => (Object.hasOwn(GLYPHS, character) ? GLYPHS[character] : UNKNOWN));
}
