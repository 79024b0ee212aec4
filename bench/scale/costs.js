/** What a simulated day costs, and what the same tasks cost otherwise. */

import { PRICES, SHELL, values } from './assumptions.js';

const shell = values(SHELL);

/** What each way of watching adds to a task: `watchers` of them. */
const watching = (watchers) => ({
  workerRequests: watchers,
  workerCpuMs: watchers * shell.workerCpuMs,
  objectRequests: watchers,
  gbSeconds: (watchers * shell.objectMs * PRICES.gbPerObject) / 1000,
});

const add = (...parts) => {
  const sum = {};
  for (const part of parts) {
    for (const [unit, amount] of Object.entries(part)) sum[unit] = (sum[unit] ?? 0) + amount;
  }
  return sum;
};

const scaled = (usage, factor) =>
  Object.fromEntries(Object.entries(usage).map(([unit, amount]) => [unit, amount * factor]));

/**
 * What a day of the hub uses, without its watchers.
 *
 * @param {object} day an outcome of the simulation
 */
function hub(day) {
  const requests = day.tasks + day.alarmsFired;
  const activeS =
    day.activeS +
    (requests * shell.objectMs) / 1000 +
    Math.min((day.limiterRequests * shell.limiterMs) / 1000, 86_400);
  return {
    workerRequests: day.tasks,
    workerCpuMs: day.tasks * shell.workerCpuMs,
    objectRequests: requests + day.limiterRequests,
    gbSeconds: activeS * PRICES.gbPerObject,
    rowsWritten:
      day.alarmsSet +
      day.tasks * (shell.stateWritesPerEnd + shell.rowsDeleted) +
      day.creates * shell.stateWritesPerCreate +
      day.polls * shell.stateWritesPerPoll +
      day.copies * shell.stateWritesPerCopy,
    rowsRead: day.alarmsFired * shell.rowsReadPerAlarm,
    r2Writes: day.copies,
    r2Reads: day.copies * shell.picturesRead,
  };
}

/** The hub, with watchers over hibernating WebSockets: an object that waits is not billed. */
export const hubUsage = (day, watchers = shell.watchers) =>
  add(hub(day), scaled(watching(watchers), day.tasks));

/** The hub, with streams that the object itself holds open: it is billed as long as there is one. */
export const streamUsage = (day, watchers = shell.watchers) =>
  add(hubUsage(day, watchers), { gbSeconds: day.watchedS * PRICES.gbPerObject });

/**
 * Clients that poll through a plain relay, each for itself, at the whole cadence.
 *
 * @param {number} tasks
 * @param {number} polls of one client for one task
 */
export function relayUsage(tasks, polls, watchers = shell.watchers) {
  const requests = tasks * (1 + polls * watchers);
  return { workerRequests: requests, workerCpuMs: requests * shell.workerCpuMs };
}

const each = (usage, of) =>
  Object.fromEntries(Object.entries(usage).map(([unit, amount]) => [unit, of(PRICES.units[unit], amount)]));

/** Dollars for each unit, without what a plan includes. */
export const bill = (usage) => each(usage, ({ price }, amount) => (amount / 1e6) * price);

/** Dollars of a month of such days, with what the paid plan includes. */
export function monthly(usage) {
  const beyond = each(usage, ({ price, month }, amount) => (Math.max(amount * 30 - month, 0) / 1e6) * price);
  return PRICES.plan + total(beyond);
}

export const total = (parts) => Object.values(parts).reduce((sum, part) => sum + part, 0);

/** How many tasks a day each allowance of the free plan carries. */
export function freeTasks(usage, tasks) {
  const days = Object.entries(usage)
    .map(([unit, amount]) => [PRICES.units[unit].name, (PRICES.units[unit].day * tasks) / amount])
    .filter(([, carried]) => Number.isFinite(carried));
  return days.sort(([, one], [, other]) => one - other);
}
