/** The parts of the gallery that need no page: rows, days, file names. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dayName, dayOf, isIn } from '../../www/days.js';
import { uniqueNames } from '../../www/file-name.js';
import { GAP, layOut } from '../../www/rows.js';

/** @param {number[]} ratios */
const ofOneDay = (ratios) => ratios.map((ratio) => ({ ratio, day: 'a' }));

describe('rows', () => {
  /** Ratios as models make them, in an order of no pattern. */
  const MANY = Array.from({ length: 200 }, (_, index) => [1, 1.75, 0.571, 1.5, 0.667][(index * index) % 5]);

  for (const width of [288, 358, 772, 1224, 2400]) {
    test(`fill the width, but for the last: ${width} px`, () => {
      const { boxes, height } = layOut(ofOneDay(MANY), width);
      assert.equal(boxes.length, MANY.length);
      const rows = groupByRow(boxes);
      const usual = boxes.at(-1).height;
      for (const [row, members] of rows) {
        const end = members.at(-1).left + members.at(-1).width;
        const isLast = row === rows.size - 1;
        if (isLast) assert.ok(end <= width + 0.01, `${end}`);
        else assert.ok(Math.abs(end - width) < 0.01, `row ${row} ends at ${end}`);
        for (const { height: each, top } of members) {
          assert.equal(top, members[0].top);
          assert.ok(each > usual * 0.5 && each < usual * 2, `${each} beside ${usual}`);
        }
      }
      const last = boxes.at(-1);
      assert.equal(height, last.top + last.height);
    });
  }

  test('never share a day', () => {
    const days = ['c', 'c', 'b', 'a', 'a', 'a'];
    const layout = layOut(
      days.map((day) => ({ ratio: 1, day })),
      1200,
    );
    assert.deepEqual(
      layout.days.map(({ first, end }) => [first, end]),
      [
        [0, 2],
        [2, 3],
        [3, 6],
      ],
    );
    assert.deepEqual(
      layout.boxes.map(({ day }) => day),
      [0, 0, 1, 2, 2, 2],
    );
    for (const [index, box] of layout.boxes.entries()) {
      assert.ok(box.top > layout.days[box.day].top, `${index} is below the heading`);
    }
    assert.ok(layout.days[1].top > layout.boxes[1].top + layout.boxes[1].height + GAP);
  });

  test('crop what is very wide or very tall, and need no picture at all', () => {
    const [wide, tall] = layOut(ofOneDay([20, 0.05]), 1200).boxes;
    assert.ok(wide.width / wide.height <= 2.5);
    assert.ok(tall.width / tall.height >= 0.5);
    assert.deepEqual(layOut([], 1200), { boxes: [], days: [], height: 0 });
  });
});

/** @param {import('../../www/rows.js').Box[]} boxes */
function groupByRow(boxes) {
  const rows = new Map();
  for (const box of boxes) rows.set(box.row, [...(rows.get(box.row) ?? []), box]);
  return rows;
}

describe('days', () => {
  const now = new Date(2026, 10, 28, 0, 30).getTime();

  test('have the names that people use', () => {
    for (const [date, name] of [
      [new Date(2026, 10, 28, 0, 1), 'Today'],
      [new Date(2026, 10, 27, 23, 59), 'Yesterday'],
      [new Date(2026, 10, 26, 12), 'Thursday, November 26'],
      [new Date(2025, 0, 2), 'Thursday, January 2, 2025'],
    ]) {
      assert.equal(dayName(date.getTime(), now), name);
    }
    assert.equal(dayOf(new Date(2026, 0, 2).getTime()), '2026-01-02');
  });

  test('count back from today, whatever the hour', () => {
    const at = (month, day) => new Date(2026, month, day, 12).getTime();
    assert.ok(isIn(at(10, 28), '1', now) && !isIn(at(10, 27), '1', now));
    assert.ok(isIn(at(10, 22), '7', now) && !isIn(at(10, 21), '7', now));
    assert.ok(isIn(at(9, 3), '2026-10', now) && !isIn(at(10, 1), '2026-10', now));
    assert.ok(isIn(0, '', now));
  });
});

test('names in a zip are unique, and so are those of their settings', () => {
  assert.deepEqual(uniqueNames(['a.png', 'b.png', 'a.png', 'a.jpg', 'a-2.png']), [
    'a.png',
    'b.png',
    'a-2.png',
    'a-3.jpg',
    'a-2-2.png',
  ]);
});
