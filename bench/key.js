/** A key that is none. It has a module of its own, so that a process which is measured imports nothing else. */
export const API_KEY = 'sk-bench-0123456789abcdef';
