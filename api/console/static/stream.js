/**
 * The stream of an open page. It is closed while nobody looks at the page, so that a dozen hidden tabs hold no lines and
 * their person does not count as present; whoever comes back is told at once what changed.
 */

const LOST_AFTER_MS = 2500;
const SILENCE_MS = 45_000;
const AGAIN_MS = 15_000;

/**
 * `onMarks(marks)` for every change, `onLost()` when the line has been down for a while and `onFound()` when it is back,
 * `onRefused()` when there will be no stream for now, `onOver()` when the server says that the person may not go on.
 */
export function open(address, { onMarks, onLost, onFound, onRefused, onOver }) {
  let source = null;
  let lost = null;
  let silence = null;
  let again = null;

  const shut = () => {
    for (const timer of [lost, silence, again]) clearTimeout(timer);
    lost = null;
    source?.close();
    source = null;
  };
  const alive = () => {
    clearTimeout(lost);
    lost = null;
    clearTimeout(silence);
    // A line can be dead without knowing it: the device slept, or something in between forgot it.
    silence = setTimeout(begin, SILENCE_MS);
    onFound();
  };
  function begin() {
    shut();
    if (document.hidden) return;
    if (typeof EventSource === "undefined") {
      onRefused();
      return;
    }
    source = new EventSource(address);
    source.addEventListener("open", alive);
    source.addEventListener("here", alive);
    source.addEventListener("marks", (event) => {
      alive();
      onMarks(JSON.parse(event.data));
    });
    source.addEventListener("over", () => {
      shut();
      onOver();
    });
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) {
        shut();
        onRefused();
        again = setTimeout(begin, AGAIN_MS);
      } else {
        lost ??= setTimeout(onLost, LOST_AFTER_MS);
      }
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) shut();
    else if (!source) begin();
  });
  addEventListener("pagehide", shut);
  addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
  begin();
}
