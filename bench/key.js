/** A made-up key, in a module of its own, so that a measured process imports nothing else. */
export const API_KEY = 'sk-bench-0123456789abcdef';
