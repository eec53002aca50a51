import type { Plugin } from 'vite';

const core = '@mantine/core/styles';
const classesOfComponent = /^(.*\/@mantine\/core\/)esm\/.*\/([A-Za-z]+)\.module\.mjs$/;

/**
 * A component of Mantine brings its own styles. The package leaves them to whoever uses it, as one file of all (280 kB) or one by one by hand,
 * in an order that has to be kept: here each follows the module that names its classes, so that a chunk has the styles of what is in it, what
 * a component is made of comes before it, and none can be forgotten. What all of them rest on is in main.tsx. In development, where packages
 * are bundled apart from the app, the page has the one file instead.
 */
export function mantineStyles(): Plugin {
  let building = true;
  return {
    name: 'spillway:mantine-styles',
    enforce: 'pre',
    configResolved({ command }) {
      building = command === 'build';
    },
    resolveId(source, importer) {
      return !building && source === `${core}/global.layer.css`
        ? this.resolve(`${core}.layer.css`, importer)
        : null;
    },
    transform(code, id) {
      const [, directory, component] = classesOfComponent.exec(id) ?? [];
      if (!building || component === undefined) return null;
      return { code: `import '${directory}styles/${component}.layer.css';\n${code}`, map: null };
    },
  };
}
