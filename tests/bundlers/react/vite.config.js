import react from '@vitejs/plugin-react';
import sample from './sample/vite.config.js';

export default { ...sample, plugins: [react()] };
