/**
 * Files that are imported as they are, and that the build embeds in the executable.
 *
 *   import sql from '../../drizzle/0000_start.sql' with { type: 'text' }                  → the file's text
 *   import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }       → a path for Bun.file(); the build packs it, and names it .gz
 *   import style from './page.css' with { type: 'text' }                                  → the file's text
 *   import list from './common-passwords.txt' with { type: 'text' }                       → the file's text
 */

declare module '*.sql' {
  const text: string;
  export default text;
}

declare module '*.txt' {
  const text: string;
  export default text;
}

declare module '*.css' {
  const textOrPath: string;
  export default textOrPath;
}

declare module '*.svg' {
  const textOrPath: string;
  export default textOrPath;
}

declare module '*.png' {
  const path: string;
  export default path;
}

declare module 'swagger-ui-dist/*' {
  const path: string;
  export default path;
}

declare module '*/browser/dist/bundle/index.umd.min.js' {
  const text: string;
  export default text;
}
