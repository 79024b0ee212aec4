import { mount } from 'svelte';
import App from './sample/App.svelte';

mount(App, { target: document.getElementById('root') });
