/** This package, with its module as a file of its own. */

import { init, LemonData } from 'lemondata-wasm/slim';

export function connect(baseUrl, apiKey) {
  const lemon = new LemonData({ apiKey, baseUrl, dangerouslyAllowBrowser: true });
  // A page starts both at once: a call waits for the module.
  init(`${baseUrl}/files/lemondata.wasm`);
  return { inline: () => lemon.generateAndWait({ model: 'inline', prompt: 'a lemon' }) };
}
