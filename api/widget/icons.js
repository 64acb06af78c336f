/** Icons drawn for Mayak on a 24 × 24 grid, one stroke width; colour comes from the text around them. */

import { svg } from "./dom.js";

const STROKES = {
  menu: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  back: ["M19 12H5.5", "M11.5 5.5L5 12l6.5 6.5"],
  send: ["M4.5 12h14", "M12.5 5.5L19 12l-6.5 6.5"],
  person: ["M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20.5c.9-3.7 3.8-5.5 7.5-5.5s6.6 1.8 7.5 5.5"],
  info: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 11v5.2", "M12 7.8h.01"],
  up: ["M7.5 20V10.2l3.9-6.4c1.7 0 2.6 1.2 2.3 2.8l-.6 3.2h5.2c1.3 0 2.2 1.2 1.9 2.5l-1.4 5.9c-.3 1.1-1.2 1.8-2.3 1.8z", "M7.5 10.2H4V20h3.5"],
  down: ["M16.5 4v9.8l-3.9 6.4c-1.7 0-2.6-1.2-2.3-2.8l.6-3.2H5.7c-1.3 0-2.2-1.2-1.9-2.5l1.4-5.9C5.5 4.7 6.4 4 7.5 4z", "M16.5 13.8H20V4h-3.5"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5.3l3.4 2"],
  warning: ["M12 4.2l8.6 15.3H3.4z", "M12 10v4.3", "M12 17h.01"],
  down_arrow: ["M12 5v13.5", "M6 12.5l6 6 6-6"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  shield: ["M12 3.5l7 2.6v5.4c0 4.3-2.9 7.5-7 9-4.1-1.5-7-4.7-7-9V6.1z", "M9 12l2.2 2.2L15.2 10"],
  language: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M3.3 12h17.4", "M12 3c2.7 2.6 4 5.6 4 9s-1.3 6.4-4 9c-2.7-2.6-4-5.6-4-9s1.3-6.4 4-9z"],
  sound: ["M6.5 16.5h11c-1.2-1.4-1.7-2.8-1.7-6.3a3.8 3.8 0 0 0-7.6 0c0 3.5-.5 4.9-1.7 6.3z", "M10.5 19.5a1.6 1.6 0 0 0 3 0", "M12 4v2.3"],
  fresh: ["M12 5.5v13", "M5.5 12h13"],
  box: ["M4 8l8-4 8 4v8.5l-8 4-8-4z", "M4 8l8 4 8-4", "M12 12v8.5", "M8 6l8 4"],
  truck: ["M3 6.5h11v10H3z", "M14 10h3.8l3.2 3.4v3.1h-7", "M7 19.2a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8z", "M17.2 19.2a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8z"],
  tag: ["M4 12.3V5.5C4 4.7 4.7 4 5.5 4h6.8l7.7 7.8-8.2 8.2z", "M8.3 8.3h.01"],
  away: ["M9 5H5v14h14v-4", "M13 4.5h6.5V11", "M19 5l-8.5 8.5"],
  document: ["M7 3.5h7l4.5 4.5v12.5h-11.5z", "M14 3.5V8h4.5", "M10 12.5h5.5", "M10 16h5.5"],
};

export function icon(name, size = 20) {
  const strokes = STROKES[name].map((d) => svg("path", { d }));
  return svg(
    "svg",
    {
      class: `icon icon-${name}`, viewBox: "0 0 24 24", width: size, height: size, fill: "none",
      stroke: "currentColor", "stroke-width": name === "menu" ? 3 : 1.8, "stroke-linecap": "round",
      "stroke-linejoin": "round", "aria-hidden": "true", focusable: "false",
    },
    ...strokes,
  );
}

/** The mark: a lighthouse with its lamp lit. */
export function mark(size = 24) {
  return svg(
    "svg",
    { class: "mark", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "mark-beam", d: "M13.6 6.9L22 4v6.6l-8.4-2.3zM10.4 6.9L2 4v6.6l8.4-2.3z" }),
    svg("path", { class: "mark-tower", d: "M10 10.6h4l1.7 9.9H8.3z" }),
    svg("path", { class: "mark-tower", d: "M9.3 5.2L12 2.6l2.7 2.6z" }),
    svg("circle", { class: "mark-lamp", cx: 12, cy: 7.6, r: 1.9 }),
    svg("path", { class: "mark-tower", d: "M6.5 20.5h11v1.3h-11z" }),
  );
}
