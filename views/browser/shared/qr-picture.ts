import { utf8 } from '../../../crypto/bytes.ts';
import { element } from './dom.ts';
import { qrMatrix } from './qr-matrix.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Light modules around the code (ISO/IEC 18004 §5.3.8). */
const QUIET = 4;

function shape(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

/**
 * A link as a QR code, dark on light in every colour scheme, since cameras want it so.
 * @param label what a screen reader says of it
 */
export function qrPicture(link: string, label: string): HTMLElement {
  const matrix = qrMatrix(utf8(link));
  const side = matrix.length + 2 * QUIET;
  let path = '';
  matrix.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      let run = 0;
      while (row[x + run]) run++;
      if (run > 0) path += `M${x + QUIET} ${y + QUIET}h${run}v1h-${run}z`;
      x += run;
    }
  });
  const picture = shape('svg', {
    viewBox: `0 0 ${side} ${side}`,
    role: 'img',
    'aria-label': label,
    'shape-rendering': 'crispEdges',
  });
  picture.append(
    shape('rect', { width: String(side), height: String(side), fill: '#fff' }),
    shape('path', { d: path, fill: '#000' }),
  );
  return element('div', { class: 'qr' }, picture);
}
