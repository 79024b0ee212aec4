/** What React Native and its engine, Hermes, may lack. The build puts these in place of the globals. */

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

const ADDRESS = /^(https?:)\/\/(?:([^/?#\\@:]*)(?::([^/?#\\@]*))?@)?([^/?#\\@]+)([^?#]*)(\?[^#]*)?(#.*)?$/i;
const DEFAULT_PORT = /^(http:.*):80$|^(https:.*):443$/;

/** An address of http or https, in the parts that this package reads. */
class Address {
  constructor(text, base) {
    let whole = text;
    // What has no scheme goes on from the base. Two slashes lead to another host.
    if (!/^[a-z][a-z\d+.-]*:/i.test(text)) {
      const { protocol, origin } = new Address(base);
      whole = /^[/\\]{2}/.test(text) ? protocol + text : `${origin}/${text.replace(/^\//, '')}`;
    }
    const [, protocol, username = '', password = '', host, pathname, search = '', hash = ''] =
      ADDRESS.exec(whole) ?? [];
    if (!host) throw new TypeError('Invalid URL');
    this.protocol = protocol.toLowerCase();
    this.origin = `${this.protocol}//${host.toLowerCase()}`.replace(DEFAULT_PORT, '$1$2');
    Object.assign(this, { username, password, pathname: pathname || '/', search, hash });
  }
}

const { navigator, URL: GlobalUrl } = /** @type {any} */ (globalThis);
/** React Native's own adds a slash, and in older versions throws where its parts are read. */
export const URL = navigator?.product === 'ReactNative' ? Address : GlobalUrl;

export const { TextDecoder = Utf8Decoder, DOMException = NamedError } = /** @type {any} */ (globalThis);
