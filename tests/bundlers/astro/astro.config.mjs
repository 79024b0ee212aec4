import cloudflare from '@astrojs/cloudflare';
import node from '@astrojs/node';
import { defineConfig } from 'astro/config';

const isNode = process.env.ADAPTER === 'node';

export default defineConfig({ adapter: isNode ? node({ mode: 'standalone' }) : cloudflare() });
