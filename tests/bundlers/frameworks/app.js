import { createApp } from 'vue';
import App from './sample/App.vue';

createApp(App).mount('#root');
