/** The dialog to paint the mask of an edit: over the picture, in its own size. */

import { html, render } from 'lit-html';
import { icon } from './icon.js';
import { makeDialog, openModal } from './modal.js';

/** The width of the brush, as a share of the picture's longer side in percent. */
const BRUSH = { min: 1, max: 25, start: 8 };
/** The colour of the paint on the screen; the sheet over the picture is half transparent. */
const PAINT = '#f2c53d';

/** @typedef {{ width: number, points: [x: number, y: number][] }} Stroke in pixels of the picture */

/** @type {HTMLDialogElement | undefined} */
let dialog;

/**
 * Has the person paint over a picture.
 *
 * @param {File} picture
 * @returns {Promise<File | undefined>} a PNG of the picture that is transparent where it was painted; undefined where
 *   the person has cancelled
 */
export async function paintMask(picture) {
  const bitmap = await createImageBitmap(picture);
  dialog ??= makeDialog('mask-brush');
  try {
    return await paint(dialog, bitmap);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {HTMLDialogElement} place
 * @param {ImageBitmap} bitmap
 * @returns {Promise<File | undefined>}
 */
function paint(place, bitmap) {
  const { width, height } = bitmap;
  const { canvas: photo } = canvasOf(bitmap);
  const { canvas: sheet, context } = canvasOf(bitmap, false);
  /** @type {Stroke[]} */
  let strokes = [];
  let percent = BRUSH.start;
  let isWanted = false;

  const begin = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    strokes.push({ width: (Math.max(width, height) * percent) / 100, points: [] });
    extend(event);
    draw();
  };
  const extend = (/** @type {PointerEvent} */ event) => {
    if (!sheet.hasPointerCapture(event.pointerId)) return;
    const { left, top, width: shownWidth, height: shownHeight } = sheet.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of events.length > 0 ? events : [event]) {
      strokes
        .at(-1)
        ?.points.push([((clientX - left) / shownWidth) * width, ((clientY - top) / shownHeight) * height]);
    }
    repaint();
  };
  sheet.addEventListener('pointerdown', begin);
  sheet.addEventListener('pointermove', extend);

  function repaint() {
    context.clearRect(0, 0, width, height);
    for (const stroke of strokes) drawStroke(context, stroke);
  }
  const change = (/** @type {Stroke[]} */ changed) => {
    strokes = changed;
    repaint();
    draw();
  };
  const undo = () => change(strokes.slice(0, -1));
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'z' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  };
  const accept = () => {
    isWanted = true;
    place.close();
  };

  function draw() {
    const isEmpty = strokes.length === 0;
    render(
      html`<header>
          <h2 id="mask-brush-title">Paint the mask</h2>
          <button class="quiet tool" type="button" aria-label="Close" @click=${() => place.close()}>${icon('close')}</button>
        </header>
        <p class="note">Paint over what the model may change.</p>
        <div class="easel" role="img" aria-label="The picture to paint on">${photo}${sheet}</div>
        <footer>
          <label class="brush">Brush
            <input type="range" min=${BRUSH.min} max=${BRUSH.max} .value=${`${percent}`} @input=${(event) => {
              percent = Number(event.target.value);
            }}></label>
          <button class="quiet" type="button" ?disabled=${isEmpty} @click=${undo}>Undo</button>
          <button class="quiet" type="button" ?disabled=${isEmpty} @click=${() => change([])}>Clear</button>
          <button class="primary" type="button" ?disabled=${isEmpty} @click=${accept}>Use the mask</button>
        </footer>`,
      place,
    );
  }

  draw();
  place.addEventListener('keydown', onKey);
  openModal(place);
  return new Promise((resolve) => {
    place.addEventListener(
      'close',
      async () => {
        place.removeEventListener('keydown', onKey);
        resolve(isWanted ? await maskOf(bitmap, strokes) : undefined);
      },
      { once: true },
    );
  });
}

/**
 * A canvas of the picture's own size.
 *
 * @param {ImageBitmap} bitmap
 * @param {boolean} [isDrawn] whether it shows the picture
 */
function canvasOf(bitmap, isDrawn = true) {
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  if (isDrawn) context.drawImage(bitmap, 0, 0);
  return { canvas, context };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 */
function drawStroke(context, { width, points }) {
  context.strokeStyle = PAINT;
  context.lineWidth = width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(...points[0]);
  // A line to its own start is a dot.
  for (const point of points) context.lineTo(...point);
  context.stroke();
}

/**
 * @param {ImageBitmap} bitmap
 * @param {Stroke[]} strokes
 * @returns {Promise<File>}
 */
function maskOf(bitmap, strokes) {
  const { canvas, context } = canvasOf(bitmap);
  context.globalCompositeOperation = 'destination-out';
  for (const stroke of strokes) drawStroke(context, stroke);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(new File([blob], 'mask.png', { type: 'image/png' }));
      else reject(new Error('The mask is too large for this browser.'));
    }, 'image/png');
  });
}
