import { makeTable } from '../../js/client/decode.js';

/**
 * Writes a module as the text that `decode` reads.
 *
 * @param {Uint8Array} bytes
 */
export function toText(bytes) {
  const table = makeTable();
  const size = table.length / 3;
  const write = (byte) => {
    const index = table.indexOf(byte);
    return '~'.repeat(index / size) + String.fromCharCode(32 + (index % size));
  };
  return Array.from(bytes, write).join('');
}
