/** Leaves out of each error class what all have from `LemonDataError`: seventeen times the same says nothing. */

import { Converter } from 'typedoc';

export function load({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.inheritedFrom) project.removeReflection(reflection);
    }
  });
}
