/** Base64 to a picture. The payload never enters the linear memory of the module. */

const SIGNATURES = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
];

/** @param {string} b64 */
export function toPicture(b64) {
  const type = SIGNATURES.find(([signature]) => signature.test(b64))?.[1] ?? '';
  const bytes = Uint8Array.fromBase64?.(b64) ?? Uint8Array.from(atob(b64), (char) => char.charCodeAt(0));
  return new Blob([bytes], { type });
}
