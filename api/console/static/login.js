/** Nobody is signed in: drafts of replies that somebody else may have left are forgotten, unless the session ran out. */

document.documentElement.classList.add("js");
const expired = new URLSearchParams(location.search).get("said") === "expired";
if (!expired) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("mayak.reply.")) sessionStorage.removeItem(key);
  }
}
