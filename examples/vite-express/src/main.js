import { LemonData } from 'lemondata-wasm';

const lemon = new LemonData({ baseUrl: '/api/lemondata', relay: true });
const form = document.querySelector('form');
const status = document.querySelector('p');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const prompt = String(new FormData(form).get('prompt'));
  status.textContent = 'pending';
  try {
    const { data } = await lemon.generateAndWait(
      { model: 'gpt-image-2', prompt },
      {
        onUpdate: (task) => {
          status.textContent = task.status;
        },
      },
    );
    const picture = document.createElement('img');
    picture.src = data[0]?.url ?? '';
    picture.alt = prompt;
    document.body.append(picture);
    status.textContent = '';
  } catch (error) {
    status.textContent = error.message;
  }
});
