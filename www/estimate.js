/** How far a generation probably is, where the server does not tell. */

/** Most tasks finish within this time, as LemonData says. */
export const USUAL_MS = { from: 30_000, to: 120_000 };

/** What is not known to be finished is never shown as full. */
const MOST = 95;

/**
 * @param {{ progress?: number }} told by the server, 0 to 100
 * @param {number} elapsedMs
 * @returns {{ percent: number, isEstimate: boolean }}
 */
export function percentOf({ progress }, elapsedMs) {
  if (progress !== undefined) return { percent: Math.min(100, Math.max(0, progress)), isEstimate: false };
  return { percent: Math.min(MOST, Math.max(0, (elapsedMs / USUAL_MS.to) * 100)), isEstimate: true };
}
