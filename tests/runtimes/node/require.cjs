const { generate, waitForTask } = require('lemondata-wasm');

const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
import('./exercise.js').then(async ({ exercise, print }) => {
  print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
});
