import { defineConfig } from 'vite';

const target = process.env.RELAY_URL ?? 'http://localhost:3000';

export default defineConfig({
  // The relay compares the page's origin with the host that the request names: keep the host.
  server: { proxy: { '/api/lemondata': { target, changeOrigin: false } } },
});
