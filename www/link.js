/**
 * The settings in the address of the page, so that they can be shared. They follow the `#`, which browsers do not
 * send, so that no server logs a prompt.
 */

import { DEFAULTS, FIELDS } from './settings.js';

/** The parameter with the name of the view. */
const VIEW = 'view';

/**
 * @param {string} hash of an address
 * @returns {{ settings: import('./settings.js').Settings, view: 'create' | 'gallery' }}
 */
export function readLink(hash) {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const settings = { ...DEFAULTS };
  for (const name of FIELDS) settings[name] = params.get(name) ?? settings[name];
  return { settings, view: params.get(VIEW) === 'gallery' ? 'gallery' : 'create' };
}

/**
 * @param {import('./settings.js').Settings} settings
 * @param {string} [view]
 * @returns {string} a hash with the settings that differ from their defaults; empty where none does
 */
export function writeLink(settings, view = 'create') {
  const params = new URLSearchParams();
  for (const name of FIELDS) if (settings[name] !== DEFAULTS[name]) params.set(name, settings[name]);
  if (view !== 'create') params.set(VIEW, view);
  const text = `${params}`;
  return text && `#${text}`;
}
