import { svelte } from '@sveltejs/vite-plugin-svelte';
import vue from '@vitejs/plugin-vue';

export default {
  plugins: [svelte(), vue()],
  build: {
    rolldownOptions: {
      input: ['page.html', 'tabs.html', 'app.html', 'vue.html', 'svelte.html', 'solid.html'],
    },
  },
};
