'use client';

import { useState, useTransition } from 'react';

export function Draw({ action }) {
  const [url, setUrl] = useState();
  const [isPending, startTransition] = useTransition();
  return (
    <>
      <button
        type="button"
        disabled={isPending || url}
        onClick={() => startTransition(async () => setUrl(await action()))}
      >
        Draw
      </button>
      {url && <img src={url} alt="A lemon" />}
    </>
  );
}
