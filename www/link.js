/**
 * The settings in the address, so that a setup can be shared. They stand behind the `#`, which a browser keeps to
 * itself: a prompt is nobody's to log.
 */

import { DEFAULTS } from './settings.js';

/** The view that the address names besides the settings. */
const VIEW = 'view';

/**
 * @param {string} hash of an address
 * @returns {{ settings: import('./settings.js').Settings, view: string }}
 */
export function readLink(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const settings = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    if (given.has(name)) settings[name] = given.get(name);
  }
  return { settings, view: given.get(VIEW) === 'gallery' ? 'gallery' : 'create' };
}

/**
 * @param {import('./settings.js').Settings} settings
 * @param {string} [view]
 * @returns {string} a hash that holds what is not the default, or nothing
 */
export function writeLink(settings, view = 'create') {
  const told = new URLSearchParams();
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    if (settings[name] !== standard) told.set(name, settings[name]);
  }
  if (view !== 'create') told.set(VIEW, view);
  const text = `${told}`;
  return text && `#${text}`;
}
