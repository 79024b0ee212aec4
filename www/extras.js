/**
 * The parts of the page that its first look does not need, as one file: several would share their code in many small
 * ones.
 */

export { followForm, showCode, showExchange } from './code-panel.js';
export { askBefore } from './confirm-dialog.js';
// By this, the page itself is one file, `chunk.js`, and not two, which compress worse by 2 KB.
export * from './main.js';
export { paintMask } from './mask-brush.js';
export { settingsIn, withSettings } from './picture-settings.js';
export { showShortcuts } from './shortcuts.js';
export { compare, setUpViewer, view } from './viewer.js';
export { exportZip } from './zip.js';
