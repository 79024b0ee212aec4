/** The layout of the gallery: rows of pictures that fill the width, under a heading for each day. */

export const GAP = 8;
const HEADING = 48;
const BETWEEN_DAYS = 16;
/** A picture that is wider or taller is cropped, so that it leaves space for others. */
const RATIOS = { least: 0.6, most: 2.4 };

/** @typedef {{ left: number, top: number, width: number, height: number, row: number, day: number }} Box */
/** @typedef {{ top: number, first: number, end: number }} Day */

/**
 * @param {{ ratio: number, day: string }[]} pictures in their order; those of a day follow each other
 * @param {number} width
 * @returns {{ boxes: Box[], days: Day[], height: number }} a box for each picture; a day holds those from `first` to
 *   before `end`
 */
export function layOut(pictures, width) {
  const rowHeight = Math.min(Math.max(240, width / 7), Math.max(96, width / 3));
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Day[]} */
  const days = [];
  let top = -BETWEEN_DAYS;
  let row = 0;
  let first = 0;
  while (first < pictures.length) {
    let end = first;
    while (end < pictures.length && pictures[end].day === pictures[first].day) end += 1;
    top += BETWEEN_DAYS;
    days.push({ top, first, end });
    top += HEADING;
    const ratios = pictures
      .slice(first, end)
      .map(({ ratio }) => Math.min(RATIOS.most, Math.max(RATIOS.least, ratio)));
    for (const { height, members } of rowsOf(ratios, width, rowHeight)) {
      let left = 0;
      for (const ratio of members) {
        boxes.push({ left, top, width: ratio * height, height, row, day: days.length - 1 });
        left += ratio * height + GAP;
      }
      top += height + GAP;
      row += 1;
    }
    top -= GAP;
    first = end;
  }
  return { boxes, days, height: Math.max(0, top) };
}

/**
 * @param {number[]} ratios
 * @param {number} width
 * @param {number} usual
 */
function rowsOf(ratios, width, usual) {
  const rows = [];
  /** @type {number[]} */
  let members = [];
  /** @param {number[]} some */
  const heightOf = (some) => (width - GAP * (some.length - 1)) / some.reduce((sum, ratio) => sum + ratio, 0);
  for (const ratio of ratios) {
    const longer = [...members, ratio];
    // The row ends before or after this picture, whichever is nearer to the usual height.
    const isNearer = heightOf(members) / usual < usual / heightOf(longer);
    if (members.length > 0 && heightOf(longer) < usual && isNearer) {
      rows.push({ height: heightOf(members), members });
      members = [ratio];
    } else members = longer;
    if (heightOf(members) <= usual) {
      rows.push({ height: heightOf(members), members });
      members = [];
    }
  }
  // The last row keeps the usual height, so that a single picture does not fill the width.
  if (members.length > 0) rows.push({ height: usual, members });
  return rows;
}
