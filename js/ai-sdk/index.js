/** A provider for the AI SDK. */

import { createImageModel } from './image-model.js';
import { sdkError } from './sdk-error.js';

export function createLemonData(options = {}) {
  const image = (modelId, settings) => createImageModel(modelId, options, settings);
  // A registry of providers asks each of them for every kind of model.
  const none = (modelType) => (modelId) => {
    throw sdkError('NoSuchModelError', `LemonData has no ${modelType} '${modelId}' here: it makes images.`, {
      modelId,
      modelType,
    });
  };
  return {
    specificationVersion: 'v3',
    image,
    imageModel: image,
    languageModel: none('languageModel'),
    embeddingModel: none('embeddingModel'),
  };
}

export const lemonData = /* @__PURE__ */ createLemonData();
