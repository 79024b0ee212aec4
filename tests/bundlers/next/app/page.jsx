'use client';

import { generate, waitForTask } from 'lemondata-wasm';
import { useEffect } from 'react';
import { exercise } from '../exercise.js';

export default function Page() {
  useEffect(() => {
    const { apiKey, baseUrl } = Object.fromEntries(new URLSearchParams(location.search));
    const options = { apiKey, baseUrl, dangerouslyAllowBrowser: true };
    globalThis.result = exercise({ generate, waitForTask }, options);
  }, []);
  return <p>A lemon</p>;
}
