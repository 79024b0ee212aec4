import { createApp, h } from 'vue';
import { generations } from './sample/generations.js';
import { useGenerations } from './sample/useGenerations.js';

const start = () => generations.start({ model: 'gpt-image-2', prompt: 'A lemon' });

createApp({
  setup() {
    const list = useGenerations();
    return () => [
      h('button', { onClick: start }, 'Draw'),
      ...list.value.flatMap(({ phase, images }) => [
        h('p', phase),
        ...images.map(({ url }) => h('img', { src: url })),
      ]),
    ];
  },
}).mount('#root');
