/** The command `models`. */

import { listModels } from 'lemondata-wasm';
import { addressOf } from './connection.js';

/** @type {import('./run.js').Command} */
export const models = {
  usage: `models [--json]

  --json                  prints all that the service says of them

A line for each image model: its name, what it does, and the price of a picture in US dollars. No key is needed.`,
  options: { json: { type: 'boolean' } },
  async run({ values }) {
    const list = await listModels({ ...addressOf(process.env), view: 'compact' });
    if (values.json) {
      console.log(JSON.stringify(list));
      return;
    }
    const rows = list.map(({ id, supported_operations = [], pricing }) => [
      id,
      supported_operations.join(','),
      `${pricing?.per_request ?? ''}`,
    ]);
    // Columns for a person, tabs for a program.
    const widths = process.stdout.isTTY ? [0, 1].map((column) => longest(rows, column)) : [0, 0];
    const separator = process.stdout.isTTY ? '  ' : '\t';
    for (const row of rows) {
      console.log(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join(separator)
          .trimEnd(),
      );
    }
  },
};

/**
 * @param {string[][]} rows
 * @param {number} column
 */
const longest = (rows, column) => Math.max(...rows.map((row) => row[column].length));
