/** Removes the key from what goes to a client, in case the service repeats it. */

/** A shorter key is a word that stands in innocent texts, too. */
const MIN_LENGTH = 8;
/** The operator may replace the key while the relay runs. The service may still repeat an earlier one. */
const MAX_KEYS = 4;

const escapeRegExp = (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const hexOf = (text) => Array.from(text, (char) => char.charCodeAt().toString(16).padStart(2, '0')).join('');

/** The three base64 spellings of a text inside a longer text, without the characters that its neighbours share. */
function base64Of(text) {
  return [0, 2, 3].map((skip, offset) => {
    const bits = (offset + text.length) * 8;
    return btoa(' '.repeat(offset) + text).slice(skip, Math.floor(bits / 6));
  });
}

/** Spellings of a key that a service may put into an error: in another case, encoded, or one half. */
function spellingsOf(key) {
  const half = Math.ceil(key.length / 2);
  const halves = half >= 2 * MIN_LENGTH ? [key.slice(0, half), key.slice(-half)] : [];
  const encoded = base64Of(key).flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
  const all = [key, encodeURIComponent(key), hexOf(key), ...encoded, ...halves];
  return new RegExp([...new Set(all)].map(escapeRegExp).join('|'), 'gi');
}

export function createRedactor() {
  /** The spellings of each key. */
  const keys = new Map();

  return {
    /** Learns a key that is about to be used. */
    learn(key) {
      if (typeof key !== 'string' || key.length < MIN_LENGTH || keys.has(key)) return;
      try {
        keys.set(key, spellingsOf(key));
      } catch {
        // No header can hold this key, so it is never sent.
      }
      if (keys.size > MAX_KEYS) keys.delete(keys.keys().next().value);
    },

    /**
     * @param {string} text JSON
     * @param {boolean} isError whether it is short enough to look for other spellings of the key, too
     */
    redact(text, isError) {
      for (const [key, spellings] of keys) {
        text = isError
          ? text.replace(spellings, '[key]')
          : text.replaceAll(JSON.stringify(key).slice(1, -1), '[key]');
      }
      return text;
    },
  };
}
