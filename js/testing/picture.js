/**
 * Draws the pictures that the server gives: a small landscape whose colours and shapes follow the words of
 * the prompt, with the prompt itself below and the pictures of the request on top. The same request and index always
 * give the same picture.
 */
import { randomFrom } from './bytes.js';
import { drawText, GLYPH_HEIGHT, textColumns } from './font.js';
import { encodePng } from './png.js';
import { paintReferences } from './references.js';

/** @typedef {import('./references.js').Reference} Reference */

/**
 * @typedef {object} Picture
 * @property {string} prompt
 * @property {string} model
 * @property {number} index which of the pictures of one request
 * @property {number} width
 * @property {number} height
 * @property {Reference[]} [references] the pictures of the request
 * @property {Reference} [mask]
 */

/** @typedef {[number, number, number]} Rgb */
/** @typedef {'hills' | 'mountains' | 'waves' | 'dunes' | 'trees' | 'skyline'} Ground */

/**
 * What a word of the prompt says about the picture. Where two words disagree, the earlier one is followed.
 *
 * @typedef {object} Hint
 * @property {number} [sky] hue of the upper sky, in degrees
 * @property {number} [glow] hue near the horizon
 * @property {number} [land] hue of the ground
 * @property {Ground} [ground]
 * @property {boolean} [dark] night: a moon and stars
 * @property {number} [colour] 0 is grey, 1 is vivid
 * @property {number} [light] added to the lightness, −0.3 to 0.3
 */

/** @type {Record<string, Hint>} */
const HINTS = {
  red: { sky: 355, glow: 15, land: 350 },
  orange: { sky: 22, glow: 38, land: 16 },
  yellow: { sky: 46, glow: 54, land: 38, light: 0.06 },
  gold: { sky: 40, glow: 48, land: 32 },
  green: { sky: 140, glow: 90, land: 130 },
  blue: { sky: 215, glow: 195, land: 220 },
  purple: { sky: 270, glow: 310, land: 265 },
  violet: { sky: 270, glow: 310, land: 265 },
  pink: { sky: 330, glow: 350, land: 320, light: 0.06 },
  brown: { sky: 28, glow: 36, land: 22, colour: 0.45, light: -0.06 },
  white: { sky: 210, glow: 200, land: 210, colour: 0.15, light: 0.22 },
  black: { sky: 230, glow: 250, land: 230, colour: 0.25, dark: true },
  grey: { colour: 0.08 },
  gray: { colour: 0.08 },
  sunset: { sky: 275, glow: 24, land: 285 },
  sunrise: { sky: 205, glow: 36, land: 240 },
  dawn: { sky: 225, glow: 340, land: 245 },
  ocean: { sky: 205, glow: 185, land: 200, ground: 'waves' },
  sea: { sky: 205, glow: 185, land: 200, ground: 'waves' },
  lake: { sky: 205, glow: 185, land: 195, ground: 'waves' },
  water: { land: 200, ground: 'waves' },
  wave: { land: 200, ground: 'waves' },
  beach: { sky: 200, glow: 44, land: 190, ground: 'waves' },
  rain: { sky: 210, glow: 205, land: 215, colour: 0.3 },
  night: { sky: 232, glow: 262, land: 240, dark: true },
  moon: { sky: 232, glow: 250, land: 240, dark: true },
  star: { sky: 240, glow: 280, land: 250, dark: true },
  space: { sky: 255, glow: 300, land: 265, dark: true },
  forest: { sky: 165, glow: 70, land: 135, ground: 'trees' },
  tree: { sky: 170, glow: 70, land: 125, ground: 'trees' },
  jungle: { sky: 150, glow: 80, land: 120, ground: 'trees' },
  mountain: { ground: 'mountains' },
  desert: { sky: 200, glow: 40, land: 34, ground: 'dunes' },
  sand: { glow: 42, land: 36, ground: 'dunes' },
  snow: { sky: 212, glow: 200, land: 212, colour: 0.25, light: 0.2, ground: 'mountains' },
  winter: { sky: 212, glow: 200, land: 212, colour: 0.25, light: 0.2, ground: 'mountains' },
  autumn: { sky: 30, glow: 45, land: 18, ground: 'trees' },
  fire: { sky: 5, glow: 35, land: 0 },
  city: { ground: 'skyline' },
  town: { ground: 'skyline' },
  street: { ground: 'skyline' },
  lemon: { sky: 52, glow: 58, land: 85, light: 0.08 },
};

/** @type {Ground[]} */
const ANY_GROUND = ['hills', 'mountains', 'waves', 'dunes'];

const LAYERS = 4;

/** How many drawn pictures are kept: a page shows the same ones again and again. */
const CACHE_SIZE = 16;

/** @type {Map<string, Uint8Array>} in the order of their last use */
const cache = new Map();

/**
 * The PNG of a picture.
 *
 * @param {Picture} picture
 * @returns {Uint8Array}
 */
export function drawPicture(picture) {
  const { prompt, model, index, width, height, references = [], mask } = picture;
  const key = JSON.stringify([prompt, model, index, width, height, references.map(({ id }) => id), mask?.id]);
  const png = cache.get(key) ?? encodePng(paint(picture), width, height);
  cache.delete(key);
  cache.set(key, png);
  if (cache.size > CACHE_SIZE) {
    cache.delete(/** @type {string} */ (cache.keys().next().value));
  }
  return png;
}

/**
 * @param {Picture} picture
 * @returns {Uint8Array} three bytes a pixel
 */
function paint({ prompt, model, index, width, height, references = [], mask }) {
  const random = randomFrom(`${prompt}\n${model}\n${index}`);
  const hint = hintOf(prompt);
  const hue = random() * 360;
  // The pictures of one request are variations: the same words, slightly other colours.
  const shift = (random() - 0.5) * 24;
  const sky = (hint.sky ?? hue) + shift;
  const glow = (hint.glow ?? sky + 40 + random() * 60) + shift;
  const land = (hint.land ?? sky + 150 + random() * 60) + shift;
  const colour = hint.colour ?? 0.75;
  const dark = hint.dark ?? false;
  const light = hint.light ?? 0;
  const ground = hint.ground ?? ANY_GROUND[Math.floor(random() * ANY_GROUND.length)];

  const canvas = { data: new Uint8Array(width * height * 3), width, height };
  const unit = Math.min(width, height);
  const horizon = height * (0.5 + random() * 0.12);

  const top = hsl(sky, colour, (dark ? 0.09 : 0.48) + light);
  const middle = hsl(sky + shift, colour * 0.9, (dark ? 0.16 : 0.66) + light);
  const bottom = hsl(glow, colour, (dark ? 0.3 : 0.8) + light * 0.6);
  paintSky(canvas, horizon, top, middle, bottom);

  if (dark) paintStars(canvas, horizon, random);
  const radius = unit * (0.07 + random() * 0.06);
  const x = width * (0.2 + random() * 0.6);
  const y = horizon * (0.35 + random() * 0.5);
  const rgb = hsl(dark ? 48 : glow + 8, dark ? 0.3 : 0.95, dark ? 0.9 : 0.88);
  paintDisc(canvas, { x, y, radius, halo: radius * 3, rgb, opacity: 1 });

  for (let i = 0; i < LAYERS; i++) {
    const depth = i / (LAYERS - 1);
    const base = horizon + (height - horizon) * depth * 0.62;
    const line = groundLine(ground, random, width, base, unit * (0.16 - depth * 0.06));
    const far = (dark ? 0.24 : 0.62) + light * 0.8;
    const near = (dark ? 0.06 : 0.2) + light * 0.5;
    const shade = far + (near - far) * depth;
    const tint = land + (glow - land) * 0.12 * (1 - depth);
    const crest = hsl(tint, colour * (0.55 + depth * 0.3), shade + 0.07);
    const foot = hsl(tint + 8, colour * (0.6 + depth * 0.3), shade - 0.05);
    paintGround(canvas, line, crest, foot, height * 0.25);
  }
  paintReferences(canvas, references, mask);
  paintCaption(canvas, prompt);
  return canvas.data;
}

/** @typedef {{ data: Uint8Array, width: number, height: number }} Canvas */

/**
 * @param {Canvas} canvas
 * @param {number} horizon
 * @param {Rgb} top
 * @param {Rgb} middle
 * @param {Rgb} bottom
 */
function paintSky({ data, width, height }, horizon, top, middle, bottom) {
  for (let y = 0; y < height; y++) {
    const t = Math.min(1, y / horizon);
    const [r, g, b] = t < 0.55 ? mix(top, middle, t / 0.55) : mix(middle, bottom, (t - 0.55) / 0.45);
    const start = y * width * 3;
    data[start] = r;
    data[start + 1] = g;
    data[start + 2] = b;
    // The row is one colour: copy what there is of it until it is full.
    for (let filled = 3; filled < width * 3; filled *= 2) {
      data.copyWithin(start + filled, start, start + Math.min(filled, width * 3 - filled));
    }
  }
}

/**
 * @param {Canvas} canvas
 * @param {number} horizon
 * @param {() => number} random
 */
function paintStars(canvas, horizon, random) {
  const { width, height } = canvas;
  const count = 40 + Math.floor(random() * 60);
  for (let i = 0; i < count; i++) {
    const radius = Math.min(width, height) * (0.0012 + random() * 0.0022);
    const [x, y] = [random() * width, random() * horizon * 0.95];
    paintDisc(canvas, { x, y, radius, halo: radius * 2.5, rgb: [255, 250, 235], opacity: 0.9 });
  }
}

/**
 * @typedef {object} Disc
 * @property {number} x of its centre
 * @property {number} y
 * @property {number} radius
 * @property {number} halo the radius at which its halo ends
 * @property {Rgb} rgb
 * @property {number} opacity
 */

/**
 * A disc with a soft halo.
 *
 * @param {Canvas} canvas
 * @param {Disc} disc
 */
function paintDisc(canvas, { x: cx, y: cy, radius, halo, rgb, opacity }) {
  const { width, height } = canvas;
  const [left, right] = [Math.max(0, Math.floor(cx - halo)), Math.min(width - 1, Math.ceil(cx + halo))];
  const [upper, lower] = [Math.max(0, Math.floor(cy - halo)), Math.min(height - 1, Math.ceil(cy + halo))];
  for (let y = upper; y <= lower; y++) {
    for (let x = left; x <= right; x++) {
      const distance = Math.sqrt((x - cx) ** 2 + (y - cy) ** 2);
      const fade = Math.max(0, 1 - (distance - radius) / (halo - radius));
      const alpha = distance <= radius - 0.5 ? 1 : Math.max(radius + 0.5 - distance, 0.35 * fade * fade);
      blend(canvas, x, y, rgb, Math.min(1, alpha) * opacity);
    }
  }
}

/**
 * The height of one layer of ground at each column.
 *
 * @param {Ground} ground
 * @param {() => number} random
 * @param {number} width
 * @param {number} base
 * @param {number} relief how high it rises
 */
function groundLine(ground, random, width, base, relief) {
  const line = new Float64Array(width);
  const waves = Array.from({ length: 4 }, (_, i) => ({
    turns: (0.7 + random() * 0.9) * 2 ** i * 2 * Math.PI,
    phase: random() * 2 * Math.PI,
    share: 0.55 ** i,
  }));
  const blocks = Array.from({ length: 24 }, () => random());
  for (let x = 0; x < width; x++) {
    const t = x / width;
    const smooth =
      waves.reduce((sum, { turns, phase, share }) => sum + Math.sin(t * turns + phase) * share, 0) / 2;
    line[x] = base - relief * SHAPES[ground](t, smooth, waves[0].phase, blocks);
  }
  return line;
}

/**
 * The outline of each kind of ground: how high it is at `t` (0 to 1), given a smooth random curve.
 *
 * @type {Record<Ground, (t: number, smooth: number, phase: number, blocks: number[]) => number>}
 */
const SHAPES = {
  hills: (_t, smooth) => smooth,
  dunes: (t, smooth, phase) => smooth * 0.5 + 0.5 * Math.abs(Math.sin(t * 5 + phase)),
  mountains: (t, smooth, phase) =>
    smooth * 0.35 + 1.5 * zigzag(t * 2.3 + phase) + 0.35 * zigzag(t * 9 + phase) - 0.5,
  waves: (t, smooth, phase) => 0.16 * smooth + 0.11 * Math.sin(t * 40 + phase + 2 * smooth),
  trees: (t, smooth, phase) => smooth * 0.6 + 0.55 * zigzag(t * 17 + phase) + 0.12 * zigzag(t * 61 + phase),
  skyline: (t, _smooth, _phase, blocks) => 1.7 * blocks[Math.min(23, Math.floor(t * 24))] - 0.2,
};

/** @param {number} t */
function zigzag(t) {
  return 1 - Math.abs((((t % 1) + 1) % 1) * 2 - 1);
}

/**
 * Fills all that is below a line.
 *
 * @param {Canvas} canvas
 * @param {Float64Array} line
 * @param {Rgb} crest the colour at the highest point of the line
 * @param {Rgb} foot the colour `fade` pixels lower
 * @param {number} fade
 */
function paintGround(canvas, line, crest, foot, fade) {
  const { data, width, height } = canvas;
  const highest = line.reduce((a, b) => Math.min(a, b));
  for (let y = Math.max(0, Math.floor(highest)); y < height; y++) {
    const rgb = mix(crest, foot, Math.min(1, (y - highest) / fade));
    for (let x = 0; x < width; x++) {
      const covered = y + 1 - line[x];
      if (covered >= 1) {
        const at = (y * width + x) * 3;
        data[at] = rgb[0];
        data[at + 1] = rgb[1];
        data[at + 2] = rgb[2];
      } else if (covered > 0) {
        blend(canvas, x, y, rgb, covered);
      }
    }
  }
}

/**
 * Writes the first words of the prompt on a band at the bottom.
 *
 * @param {Canvas} canvas
 * @param {string} prompt
 */
function paintCaption(canvas, prompt) {
  const { width, height } = canvas;
  const scale = Math.max(1, Math.floor(Math.min(width, height) / 200));
  const room = Math.floor(width / scale) - 8;
  const caption = fit(prompt.trim().replace(/\s+/g, ' '), room);
  const band = (GLYPH_HEIGHT + 8) * scale;
  if (caption === '' || band > height / 2) {
    return;
  }
  for (let y = height - band; y < height; y++) {
    for (let x = 0; x < width; x++) {
      blend(canvas, x, y, [12, 12, 20], 0.62);
    }
  }
  const left = Math.floor((width - textColumns(caption) * scale) / 2);
  drawText(caption, (column, row) => {
    const [x0, y0] = [left + column * scale, height - band + (row + 4) * scale];
    for (let y = y0; y < y0 + scale; y++) {
      for (let x = x0; x < x0 + scale; x++) {
        blend(canvas, x, y, [255, 255, 255], 0.95);
      }
    }
  });
}

/**
 * As many whole words as there is room for.
 *
 * @param {string} text
 * @param {number} room in columns
 */
function fit(text, room) {
  if (textColumns(text) <= room) {
    return text;
  }
  const characters = [...text];
  while (characters.length > 0 && textColumns(`${characters.join('')}...`) > room) {
    characters.pop();
  }
  const cut = characters.join('');
  const lastSpace = cut.lastIndexOf(' ');
  const words = lastSpace > cut.length / 2 ? cut.slice(0, lastSpace) : cut;
  return words === '' ? '' : `${words.replace(/[\s,.;:]+$/, '')}...`;
}

/**
 * What the words of a prompt say together.
 *
 * @param {string} prompt
 * @returns {Hint}
 */
function hintOf(prompt) {
  const words = prompt.toLowerCase().match(/[a-z]+/g) ?? [];
  const hints = words.map((word) => HINTS[word] ?? HINTS[word.replace(/(es|s|y)$/, '')] ?? {});
  return Object.assign({}, ...hints.reverse());
}

/**
 * @param {Canvas} canvas
 * @param {number} x
 * @param {number} y
 * @param {Rgb} rgb
 * @param {number} alpha
 */
function blend({ data, width }, x, y, rgb, alpha) {
  const at = (y * width + x) * 3;
  data[at] += (rgb[0] - data[at]) * alpha;
  data[at + 1] += (rgb[1] - data[at + 1]) * alpha;
  data[at + 2] += (rgb[2] - data[at + 2]) * alpha;
}

/**
 * @param {Rgb} a
 * @param {Rgb} b
 * @param {number} t
 * @returns {Rgb}
 */
function mix(a, b, t) {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/**
 * @param {number} hue in degrees
 * @param {number} saturation
 * @param {number} lightness
 * @returns {Rgb}
 */
function hsl(hue, saturation, lightness) {
  const l = Math.min(0.97, Math.max(0.02, lightness));
  const reach = Math.min(1, saturation) * Math.min(l, 1 - l);
  const channel = (/** @type {number} */ n) => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    return 255 * (l - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}
