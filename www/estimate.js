/** The progress of a generation: the server's figure, or an estimate by time. */

/** LemonData documents that most tasks finish within this time. */
export const USUAL_MS = { from: 30_000, to: 120_000 };

/** An estimate never reaches 100 %. */
const MOST = 95;

/**
 * @param {{ progress?: number }} task the server's figure goes from 0 to 100
 * @param {number} elapsedMs
 * @returns {{ percent: number, isEstimate: boolean }}
 */
export function percentOf({ progress }, elapsedMs) {
  if (progress !== undefined) return { percent: Math.min(100, Math.max(0, progress)), isEstimate: false };
  return { percent: Math.min(MOST, Math.max(0, (elapsedMs / USUAL_MS.to) * 100)), isEstimate: true };
}
