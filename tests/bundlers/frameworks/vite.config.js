import { svelte } from '@sveltejs/vite-plugin-svelte';

export default {
  plugins: [svelte()],
  build: { rolldownOptions: { input: ['page.html', 'tabs.html', 'vue.html', 'svelte.html', 'solid.html'] } },
};
