/**
 * Zoom for pictures in scrolling boxes. This sets the size of the pictures; the browser scrolls. Several boxes zoom and
 * scroll together.
 */

const MAX_SCALE = 8;
const STEP = 1.5;

export class Zoom {
  /** 1 is the size at which a picture fits its box. */
  scale = 1;

  #boxes;
  #changed;
  #isMoving = false;
  /** @type {Map<number, { clientX: number, clientY: number }>} */
  #pointers = new Map();
  #observer = new ResizeObserver(() => this.#apply());

  /**
   * @param {HTMLElement[]} boxes each holds one `img`
   * @param {() => void} [changed]
   */
  constructor(boxes, changed = () => {}) {
    this.#boxes = boxes;
    this.#changed = changed;
    for (const box of boxes) {
      this.#observer.observe(box);
      box.addEventListener('wheel', this.#onWheel, { passive: false });
      box.addEventListener('dblclick', this.#onDoubleClick);
      box.addEventListener('scroll', this.#onScroll, { passive: true });
      for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) {
        box.addEventListener(type, this.#onPointer);
      }
      box.firstElementChild?.addEventListener('load', () => this.#apply());
    }
    this.#apply();
  }

  close() {
    this.#observer.disconnect();
  }

  in() {
    this.to(this.scale * STEP);
  }

  out() {
    this.to(this.scale / STEP);
  }

  /**
   * @param {number} scale
   * @param {{ x: number, y: number }} [at] the point of a box that stays where it is, from 0 to 1
   */
  to(scale, at = { x: 0.5, y: 0.5 }) {
    const before = this.scale;
    this.scale = Math.min(MAX_SCALE, Math.max(1, scale));
    const [box] = this.#boxes;
    /** @type {(extent: number, start: number, share: number) => number} */
    const point = (extent, start, share) => (start + extent * share) / before;
    const left = point(box.clientWidth, box.scrollLeft, at.x) * this.scale - box.clientWidth * at.x;
    const top = point(box.clientHeight, box.scrollTop, at.y) * this.scale - box.clientHeight * at.y;
    this.#apply();
    for (const each of this.#boxes) each.scrollTo(left, top);
    this.#changed();
  }

  #apply() {
    for (const box of this.#boxes) {
      const [img] = /** @type {HTMLCollectionOf<HTMLElement>} */ (box.children);
      img.style.width = `${this.scale * 100}%`;
      img.style.height = `${this.scale * 100}%`;
      box.classList.toggle('zoomed', this.scale > 1);
    }
  }

  /**
   * @param {HTMLElement} box
   * @param {{ clientX: number, clientY: number }} point
   */
  #share(box, { clientX, clientY }) {
    const { left, top, width, height } = box.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  #onWheel = (event) => {
    // Without Ctrl or Cmd, the wheel scrolls a zoomed picture.
    if (this.scale > 1 && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.to(this.scale * Math.exp(-event.deltaY / 300), this.#share(event.currentTarget, event));
  };

  #onDoubleClick = (event) => {
    this.to(this.scale > 1 ? 1 : 2, this.#share(event.currentTarget, event));
  };

  #onScroll = ({ currentTarget: box }) => {
    if (this.#isMoving) return;
    this.#isMoving = true;
    for (const other of this.#boxes) {
      if (other !== box) other.scrollTo(box.scrollLeft, box.scrollTop);
    }
    requestAnimationFrame(() => {
      this.#isMoving = false;
    });
  };

  /** A mouse drags, and two fingers pinch; one finger scrolls by itself. */
  #onPointer = (event) => {
    const { type, pointerId, pointerType, clientX, clientY, currentTarget: box } = event;
    const before = this.#pointers.get(pointerId);
    if (type === 'pointerdown') {
      this.#pointers.set(pointerId, { clientX, clientY });
      if (pointerType === 'mouse') box.setPointerCapture(pointerId);
    } else if (type !== 'pointermove') this.#pointers.delete(pointerId);
    else if (before && this.#pointers.size === 2) {
      const [[, other]] = [...this.#pointers].filter(([id]) => id !== pointerId);
      const spread = (point) => Math.hypot(point.clientX - other.clientX, point.clientY - other.clientY);
      const middle = { clientX: (clientX + other.clientX) / 2, clientY: (clientY + other.clientY) / 2 };
      this.#pointers.set(pointerId, { clientX, clientY });
      this.to((this.scale * spread({ clientX, clientY })) / spread(before), this.#share(box, middle));
    } else if (before && pointerType === 'mouse') {
      box.scrollBy(before.clientX - clientX, before.clientY - clientY);
      this.#pointers.set(pointerId, { clientX, clientY });
    }
  };
}
