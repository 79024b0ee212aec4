/** The dialog to paint the mask of an edit: over the picture, in its own size, by pointer or by keys. */

import { html, render } from 'lit-html';
import { announce } from './announce.js';
import { icon } from './icon.js';
import { makeDialog, openModal } from './modal.js';

/** The width of the brush, as a share of the picture's longer side in percent. */
const BRUSH = { min: 1, max: 25, start: 8 };
/** The colour of the paint on the screen; the sheet over the picture is half transparent. */
const PAINT = '#f2c53d';
/** How far an arrow key moves the brush, without and with Shift, as a share of the picture's longer side in percent. */
const STEP = 1;
const LARGE_STEP = 10;

/** @type {Record<string, Point>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const SIZES = { '[': -1, ']': 1 };
const PAINT_KEYS = [' ', 'Enter'];

/** @typedef {[x: number, y: number]} Point in pixels of the picture */
/** @typedef {{ width: number, points: Point[] }} Stroke in pixels of the picture */

/** @type {HTMLDialogElement | undefined} */
let dialog;

/** What was painted over a picture, for when its dialog opens again, however it was closed. @type {WeakMap<File, Stroke[]>} */
const painted = new WeakMap();

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
    return await paint(dialog, bitmap, picture);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {HTMLDialogElement} place
 * @param {ImageBitmap} bitmap
 * @param {File} picture
 * @returns {Promise<File | undefined>}
 */
function paint(place, bitmap, picture) {
  const { width, height } = bitmap;
  const { canvas: photo } = canvasOf(bitmap);
  const { canvas: sheet, context } = canvasOf(bitmap, false);
  const longer = Math.max(width, height);
  /** @type {Stroke[]} */
  let strokes = painted.get(picture) ?? [];
  /** @type {Point} */
  let brush = [width / 2, height / 2];
  let isBrushShown = false;
  /** The key that paints while it is held. */
  let paintKey = '';
  let percent = BRUSH.start;
  let isWanted = false;
  /** The pointer that paints. A second finger, or the palm beside a pen, paints nothing. */
  let painter = -1;

  const begin = () => {
    strokes.push({ width: (longer * percent) / 100, points: [brush] });
    draw();
  };
  /** @param {Point} to */
  const move = (to, isPainting = false) => {
    brush = to;
    isBrushShown = true;
    if (isPainting) strokes.at(-1)?.points.push(to);
  };

  const onPointer = (/** @type {PointerEvent} */ event) => {
    const { left, top, width: shownWidth, height: shownHeight } = sheet.getBoundingClientRect();
    const isPainting = sheet.hasPointerCapture(painter);
    if (isPainting && event.pointerId !== painter) return;
    const isStart = event.type === 'pointerdown' && event.button === 0;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of events.length > 0 ? events : [event]) {
      move([((clientX - left) / shownWidth) * width, ((clientY - top) / shownHeight) * height], isPainting);
    }
    if (isStart) {
      painter = event.pointerId;
      sheet.setPointerCapture(painter);
      begin();
    }
    repaint();
  };
  const showBrush = (/** @type {boolean} */ isShown) => {
    isBrushShown = isShown;
    repaint();
  };
  for (const type of /** @type {const} */ (['pointerdown', 'pointermove']))
    sheet.addEventListener(type, onPointer);
  sheet.addEventListener('pointerleave', () => showBrush(sheet.matches(':focus-visible')));
  sheet.addEventListener('focus', () => showBrush(sheet.matches(':focus-visible')));
  sheet.addEventListener('blur', () => {
    paintKey = '';
    showBrush(false);
  });

  function repaint() {
    context.clearRect(0, 0, width, height);
    for (const stroke of strokes) drawStroke(context, stroke);
    if (isBrushShown) drawBrush(context, brush, (longer * percent) / 200, width / sheet.clientWidth);
  }
  const change = (/** @type {Stroke[]} */ changed) => {
    strokes = changed;
    repaint();
    draw();
    announce(`Mask: ${amountOf(strokes)}.`);
  };
  const undo = () => change(strokes.slice(0, -1));
  const resize = (/** @type {number} */ to) => {
    percent = Math.min(BRUSH.max, Math.max(BRUSH.min, to));
    repaint();
    draw();
  };

  /** @param {KeyboardEvent} event */
  function moveByKey({ key, shiftKey }) {
    const step = (longer * (shiftKey ? LARGE_STEP : STEP)) / 100;
    const [x, y] = DIRECTIONS[key];
    const within = (/** @type {number} */ at, /** @type {number} */ end) => Math.min(end, Math.max(0, at));
    move([within(brush[0] + x * step, width), within(brush[1] + y * step, height)], paintKey !== '');
    repaint();
  }

  /** @param {KeyboardEvent} event */
  function onSheetKey(event) {
    const { key, repeat } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (DIRECTIONS[key]) moveByKey(event);
    else if (!PAINT_KEYS.includes(key)) return;
    else if (!repeat && !paintKey) {
      paintKey = key;
      isBrushShown = true;
      begin();
      repaint();
    }
    event.preventDefault();
  }

  sheet.addEventListener('keydown', onSheetKey);
  sheet.addEventListener('keyup', ({ key }) => {
    const isPaint = key === paintKey;
    if (isPaint) paintKey = '';
    // Not at each repetition of a key: a screen reader reads one line after the other.
    if (isPaint || DIRECTIONS[key]) {
      const [across, down] = [brush[0] / width, brush[1] / height].map((share) => Math.round(share * 100));
      announce(`${isPaint ? `Painted: ${amountOf(strokes)}. ` : ''}${across} % across, ${down} % down.`);
    }
  });

  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === 'z' && !event.shiftKey) {
      if (strokes.length > 0) undo();
    } else if (SIZES[event.key] && !isCommand) {
      resize(percent + SIZES[event.key]);
      announce(`Brush: ${percent} %.`);
    } else return;
    event.preventDefault();
    // Behind the dialog, the same key brings back a deleted picture.
    event.stopPropagation();
  };
  const accept = () => {
    isWanted = true;
    place.close();
  };

  function draw() {
    const isEmpty = strokes.length === 0;
    sheet.setAttribute('aria-label', `The picture to paint on. Mask: ${amountOf(strokes)}`);
    render(
      html`<header>
          <h2 id="mask-brush-title">Paint the mask</h2>
          <button class="quiet tool" type="button" aria-label="Close" @click=${() => place.close()}>${icon('close')}</button>
        </header>
        <p class="note">Paint over what the model may change.
          <span class="keys" id="mask-brush-keys">Arrow keys move the brush, with Shift in large steps; Space paints.</span></p>
        <div class="easel">${photo}${sheet}</div>
        <footer>
          <label class="brush">Brush
            <input type="range" min=${BRUSH.min} max=${BRUSH.max} .value=${`${percent}`} @input=${(event) => resize(Number(event.target.value))}></label>
          <button class="quiet" type="button" ?disabled=${isEmpty} @click=${undo}>Undo</button>
          <button class="quiet" type="button" ?disabled=${isEmpty} @click=${() => change([])}>Clear</button>
          <button class="primary" type="button" ?disabled=${isEmpty} @click=${accept}>Use the mask</button>
        </footer>`,
      place,
    );
  }

  photo.setAttribute('aria-hidden', 'true');
  // A screen reader leaves the arrow keys to an application.
  for (const [name, value] of Object.entries({
    role: 'application',
    'aria-describedby': 'mask-brush-keys',
    autofocus: '',
  })) {
    sheet.setAttribute(name, value);
  }
  sheet.tabIndex = 0;
  draw();
  place.addEventListener('keydown', onKey);
  openModal(place);
  repaint();
  return new Promise((resolve) => {
    place.addEventListener(
      'close',
      async () => {
        place.removeEventListener('keydown', onKey);
        painted.set(picture, strokes);
        resolve(isWanted ? await maskOf(bitmap, strokes) : undefined);
      },
      { once: true },
    );
  });
}

/** @param {Stroke[]} strokes */
const amountOf = ({ length }) =>
  length === 0 ? 'no paint' : `${length} ${length === 1 ? 'stroke' : 'strokes'}`;

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
  const [[x, y]] = points;
  context.moveTo(x, y);
  // Canvas draws no line without a length, so a dot is a very short one.
  context.lineTo(x + 0.01, y);
  for (const point of points) context.lineTo(...point);
  context.stroke();
}

/**
 * A ring as wide as the brush, dark and light, so that it is seen on any picture.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 * @param {number} radius
 * @param {number} pixel of the screen, in pixels of the picture
 */
function drawBrush(context, [x, y], radius, pixel) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [colour, lineWidth] of /** @type {const} */ ([
    ['#000', 5],
    ['#fff', 2.5],
  ])) {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth * pixel;
    context.stroke();
  }
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
