/** The routes of a relay, below any prefix. It has no others. */

const HEALTH = /\/health$/;

/** Whether a path is that of the health check. */
export const isHealth = (path) => HEALTH.test(path);

const ROUTES = [
  { name: 'create', methods: ['POST'], path: /\/v1\/images\/generations$/ },
  { name: 'edit', methods: ['POST'], path: /\/v1\/images\/edits$/ },
  { name: 'poll', methods: ['GET'], path: /\/v1\/(?:images\/generations|tasks)\/(?<reference>[^/]+)$/ },
  { name: 'models', methods: ['GET'], path: /\/v1\/models$/ },
  { name: 'health', methods: ['GET', 'HEAD'], path: HEALTH },
];
/** Pictures are a hub's. */
const HUB_ROUTES = [
  {
    name: 'picture',
    methods: ['GET', 'HEAD'],
    path: /\/v1\/tasks\/(?<reference>[^/]+)\/images\/(?<index>\d{1,3})$/,
  },
  ...ROUTES,
];

/**
 * The route that a URL names, or `undefined`.
 *
 * @param {string} url
 * @param {boolean} hasHub
 * @returns {{ name: string, methods: string[], reference?: string, index?: string } | undefined}
 */
export function routeOf(url, hasHub) {
  const { pathname } = new URL(url);
  for (const { path, ...route } of hasHub ? HUB_ROUTES : ROUTES) {
    const match = path.exec(pathname);
    if (match) return { ...route, ...match.groups };
  }
  return undefined;
}
