/**
 * Zoom for pictures in scrolling boxes. This sets the size of the pictures; the boxes scroll. Several boxes show the
 * same part of their pictures.
 */

const MAX_SCALE = 8;
const STEP = 1.5;
/** From here on, a moving pointer drags; before, it clicks. */
const DRAG_PX = 6;
const SWIPE_PX = 60;
const DOUBLE_TAP_MS = 350;
/** A line of a mouse wheel in Firefox. */
const LINE_PX = 16;

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ from: Point, at: Point, hasMoved: boolean }} Pointer */

export class Zoom {
  /** 1 is the size at which a picture fits its box. */
  scale = 1;

  #boxes;
  #changed;
  #swiped;
  /** The box that the person moves. The others follow it, and would disturb it if it followed them. */
  #leader;
  /** @type {Map<number, Pointer>} */
  #pointers = new Map();
  #lastTap = Number.NEGATIVE_INFINITY;
  #observer = new ResizeObserver(() => {
    this.#apply();
    this.#changed();
  });

  /**
   * @param {HTMLElement[]} boxes each holds one `img`
   * @param {{ changed?: () => void, swiped?: (by: 1 | -1) => void }} [callbacks]
   */
  constructor(boxes, { changed = () => {}, swiped } = {}) {
    this.#boxes = boxes;
    this.#leader = boxes[0];
    this.#changed = changed;
    this.#swiped = swiped;
    for (const box of boxes) {
      this.#observer.observe(box);
      box.addEventListener('wheel', this.#onWheel, { passive: false });
      box.addEventListener('scroll', this.#onScroll, { passive: true });
      for (const type of ['pointerenter', 'pointerdown', 'focus']) {
        box.addEventListener(type, () => {
          this.#leader = box;
        });
      }
      for (const type of /** @type {const} */ ([
        'pointerdown',
        'pointermove',
        'pointerup',
        'pointercancel',
      ])) {
        box.addEventListener(type, this.#onPointer);
      }
      image(box).addEventListener('load', () => this.#apply());
    }
    this.#apply();
  }

  close() {
    this.#observer.disconnect();
  }

  /** The scale at which a pixel of the picture is a pixel of the screen. */
  get actual() {
    return 1 / (fit(this.#boxes[0]) * devicePixelRatio);
  }

  get least() {
    return Math.min(1, this.actual);
  }

  get most() {
    return Math.max(MAX_SCALE, 2 * this.actual);
  }

  in() {
    this.to(this.scale * STEP);
  }

  out() {
    this.to(this.scale / STEP);
  }

  /**
   * Changes between the fitting size and real pixels, or twice the size where these are about the same.
   *
   * @param {Point} [at]
   * @param {HTMLElement} [box]
   */
  toggle(at, box) {
    const { actual } = this;
    this.to(this.scale !== 1 ? 1 : actual > 1.2 ? actual : 2, at, box);
  }

  /**
   * @param {number} scale
   * @param {Point} [at] the point of the box that stays where it is, from 0 to 1
   * @param {HTMLElement} [box]
   */
  to(scale, at = { x: 0.5, y: 0.5 }, box = this.#leader) {
    const point = pointAt(box, at);
    this.scale = Math.min(this.most, Math.max(this.least, scale));
    // Steps in and out again come back to the fitting size.
    if (Math.abs(this.scale - 1) < 0.02) this.scale = 1;
    this.#apply();
    for (const each of this.#boxes) show(each, point, at);
    this.#changed();
  }

  /** @type {(x: number, y: number) => void} */
  pan(x, y) {
    this.#leader.scrollBy(x, y);
  }

  #apply() {
    for (const box of this.#boxes) {
      const { width, height } = sizeOf(box);
      const factor = fit(box) * this.scale;
      const img = image(box);
      img.style.width = `${width * factor}px`;
      img.style.height = `${height * factor}px`;
      box.classList.toggle('zoomed', this.scale > 1);
    }
    const [box] = this.#boxes;
    // For the controls beside the picture.
    box.parentElement?.style.setProperty(
      '--beside',
      `${Math.max(0, box.clientWidth - image(box).offsetWidth) / 2}px`,
    );
  }

  #onWheel = (/** @type {WheelEvent} */ event) => {
    // With Shift, and sideways, the wheel scrolls.
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    const box = /** @type {HTMLElement} */ (event.currentTarget);
    this.to(this.scale * Math.exp(-delta / 300), share(box, { x: event.clientX, y: event.clientY }), box);
  };

  #onScroll = (/** @type {Event} */ { currentTarget }) => {
    if (currentTarget !== this.#leader) return;
    const middle = { x: 0.5, y: 0.5 };
    const point = pointAt(this.#leader, middle);
    for (const other of this.#boxes) if (other !== this.#leader) show(other, point, middle);
  };

  /** One pointer clicks, drags and swipes; two pinch. */
  #onPointer = (/** @type {PointerEvent} */ event) => {
    const { type, pointerId } = event;
    const box = /** @type {HTMLElement} */ (event.currentTarget);
    // Whole pixels, since a box drops the fractions of each step.
    const at = { x: Math.round(event.clientX), y: Math.round(event.clientY) };
    const pointer = this.#pointers.get(pointerId);
    if (type === 'pointerdown') {
      if (event.button !== 0) return;
      this.#pointers.set(pointerId, { from: at, at, hasMoved: this.#pointers.size > 0 });
      box.setPointerCapture(pointerId);
    } else if (!pointer) return;
    else if (type === 'pointermove') this.#move(box, pointer, at);
    else {
      this.#pointers.delete(pointerId);
      image(box).style.translate = '';
      if (type === 'pointerup') this.#release(box, pointer, event);
    }
  };

  /**
   * @param {HTMLElement} box
   * @param {Pointer} pointer
   * @param {Point} at
   */
  #move(box, pointer, at) {
    const before = pointer.at;
    const { from } = pointer;
    pointer.hasMoved ||= Math.hypot(at.x - from.x, at.y - from.y) > DRAG_PX;
    if (!pointer.hasMoved) return;
    pointer.at = at;
    const other = [...this.#pointers.values()].find((each) => each !== pointer);
    if (other) {
      other.hasMoved = true;
      const spread = (/** @type {Point} */ point) => Math.hypot(point.x - other.at.x, point.y - other.at.y);
      const middle = { x: (at.x + other.at.x) / 2, y: (at.y + other.at.y) / 2 };
      image(box).style.translate = '';
      this.to((this.scale * spread(at)) / Math.max(1, spread(before)), share(box, middle), box);
    } else if (this.scale > 1) box.scrollBy(before.x - at.x, before.y - at.y);
    else if (this.#swiped) image(box).style.translate = `${at.x - from.x}px`;
  }

  /**
   * @param {HTMLElement} box
   * @param {Pointer} pointer
   * @param {PointerEvent} event
   */
  #release(box, { from, hasMoved }, { clientX, clientY, pointerType, timeStamp }) {
    if (this.#pointers.size > 0) return;
    if (!hasMoved) {
      const isDouble = timeStamp - this.#lastTap < DOUBLE_TAP_MS;
      this.#lastTap = timeStamp;
      if (pointerType !== 'touch' || isDouble) this.toggle(share(box, { x: clientX, y: clientY }), box);
      return;
    }
    const [x, y] = [clientX - from.x, clientY - from.y];
    if (this.scale <= 1 && Math.abs(x) > SWIPE_PX && Math.abs(x) > Math.abs(y))
      this.#swiped?.(x < 0 ? 1 : -1);
  }
}

/** @param {HTMLElement} box */
const image = (box) => /** @type {HTMLImageElement} */ (box.querySelector('img'));

/** @param {HTMLElement} box */
function sizeOf(box) {
  const img = image(box);
  // Before it has loaded, its attributes say the same.
  return {
    width: img.naturalWidth || Number(img.getAttribute('width')) || 1,
    height: img.naturalHeight || Number(img.getAttribute('height')) || 1,
  };
}

/** The factor by which a picture fits its box. @param {HTMLElement} box */
function fit(box) {
  const { width, height } = sizeOf(box);
  return Math.min(box.clientWidth / width, box.clientHeight / height) || 1;
}

/** @type {(box: HTMLElement, point: Point) => Point} a point of the window as a share of the box */
function share(box, { x, y }) {
  const { left, top, width, height } = box.getBoundingClientRect();
  return { x: (x - left) / width, y: (y - top) / height };
}

/** The space before a picture that is smaller than its box. @type {(outer: number, inner: number) => number} */
const margin = (outer, inner) => Math.max(0, outer - inner) / 2;

/** @type {(box: HTMLElement, at: Point) => Point} the point of the picture at a point of the box, both as shares */
function pointAt(box, at) {
  const { offsetWidth: width, offsetHeight: height } = image(box);
  return {
    x: (box.scrollLeft + at.x * box.clientWidth - margin(box.clientWidth, width)) / width,
    y: (box.scrollTop + at.y * box.clientHeight - margin(box.clientHeight, height)) / height,
  };
}

/** Scrolls so that a point of the picture is at a point of the box. @type {(box: HTMLElement, point: Point, at: Point) => void} */
function show(box, point, at) {
  const { offsetWidth: width, offsetHeight: height } = image(box);
  box.scrollTo(
    point.x * width + margin(box.clientWidth, width) - at.x * box.clientWidth,
    point.y * height + margin(box.clientHeight, height) - at.y * box.clientHeight,
  );
}
