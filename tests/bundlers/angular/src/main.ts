import { Component } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { type Generation, generate, waitForTask } from 'lemondata-wasm';
import { App } from './app/app';

const { apiKey, baseUrl } = Object.fromEntries(new URLSearchParams(location.search));
const options = { apiKey, baseUrl, dangerouslyAllowBrowser: true, pollInterval: { min: 5, max: 10 } };

/** What `exercise.js` does, in a component. */
@Component({ selector: 'app-exercise', template: '<p>Matrix</p>' })
class Exercise {
  result = this.exercise();

  private async exercise() {
    const inline = await generate({ model: 'flux-schnell', prompt: 'a lemon' }, options);
    const task: Generation = await generate({ model: 'flux-pro', prompt: 'a lime' }, options);
    const { status } = task;
    const done = await waitForTask(task, options);
    return { inline, task: { ...task, status }, done };
  }
}

if (apiKey) {
  bootstrapApplication(Exercise).then(({ components: [root] }) => {
    Object.assign(globalThis, { result: root?.instance.result });
  });
} else {
  bootstrapApplication(App);
}
