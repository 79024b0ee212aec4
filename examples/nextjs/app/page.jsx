'use client';

import { LemonData } from 'lemondata-wasm';
import { useState } from 'react';

const lemon = new LemonData({ baseUrl: '/api/lemondata', relay: true });

export default function Page() {
  const [picture, setPicture] = useState();
  const [status, setStatus] = useState('');

  // An event, not an effect: React may run an effect twice, and each create is billed.
  async function draw(event) {
    event.preventDefault();
    const prompt = String(new FormData(event.currentTarget).get('prompt'));
    setStatus('pending');
    try {
      const { data } = await lemon.generateAndWait(
        { model: 'gpt-image-2', prompt },
        { onUpdate: (task) => setStatus(task.status) },
      );
      setPicture({ url: data[0]?.url, prompt });
      setStatus('');
    } catch (error) {
      setStatus(error.message);
    }
  }

  return (
    <main>
      <form onSubmit={draw}>
        <label>
          Prompt <input name="prompt" defaultValue="A lemon on a windowsill" required />
        </label>
        <button type="submit">Draw</button>
      </form>
      <p role="status">{status}</p>
      {picture && <img src={picture.url} alt={picture.prompt} />}
    </main>
  );
}
