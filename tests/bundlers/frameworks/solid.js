import { createEffect, createRoot } from 'solid-js';
import { generations } from './sample/generations.js';
import { useGenerations } from './sample/list.js';

const button = document.createElement('button');
button.onclick = () => generations.start({ model: 'gpt-image-2', prompt: 'A lemon' });
const output = document.createElement('div');
document.getElementById('root').append(button, output);

createRoot(() => {
  const list = useGenerations();
  createEffect(() => {
    output.replaceChildren(
      ...list().flatMap(({ phase, images }) => [
        phase,
        ...images.map(({ url }) => Object.assign(new Image(), { src: url })),
      ]),
    );
  });
});
