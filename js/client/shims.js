/** What Hermes, the engine of React Native, may lack. The build puts these in place of the globals. */

class Utf8Decoder {
  decode(bytes = new Uint8Array()) {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${(byte + 256).toString(16).slice(1)}`).join(''));
  }
}

class NamedError extends Error {
  constructor(message, name) {
    super(message);
    this.name = name;
  }
}

export const { TextDecoder = Utf8Decoder, DOMException = NamedError } = /** @type {any} */ (globalThis);
