// Local times, copying, and a few rules for the live parts. Every page works without it.
(function () {
  "use strict";

  // A live tail keeps so many rows; older ones are a page away.
  var ROWS_MAX = 200;
  var root = document.documentElement;
  root.classList.add("js");

  var thisYear = new Date().getFullYear();
  var formats = {};
  function format(name, options) {
    formats[name] = formats[name] || new Intl.DateTimeFormat("en-GB", options);
    return formats[name];
  }

  function local(date) {
    var day = { day: "numeric", month: "short" };
    if (date.getFullYear() !== thisYear) day.year = "numeric";
    var clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    return format(day.year ? "long" : "short", day).format(date) + " " + format("clock", clock).format(date);
  }

  function localize(scope) {
    scope.querySelectorAll("time[datetime]:not([data-local])").forEach(function (time) {
      var date = new Date(time.getAttribute("datetime"));
      if (isNaN(date)) return;
      time.setAttribute("data-local", "");
      if (time.dataset.time !== "ago") time.textContent = local(date);
    });
  }

  // A word in a button's place, for a moment.
  function say(button, word) {
    var label = button.dataset.label || (button.dataset.label = button.textContent);
    button.textContent = word;
    window.setTimeout(function () { button.textContent = label; }, 1500);
  }

  function copied(button, text) {
    var done = function (word) { say(button, word); };
    // The clipboard needs a secure address; over plain HTTP a selection does the same.
    if (navigator.clipboard) {
      navigator.clipboard.writeText(text).then(function () { done("Copied"); }, function () { done("Not copied"); });
      return;
    }
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.appendChild(area);
    area.select();
    done(document.execCommand("copy") ? "Copied" : "Not copied");
    area.remove();
    button.focus();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copy], button[data-copy-from]");
    if (button && button.dataset.copyFrom) {
      // Signed out, the reply leads to the page for signing in, which is nothing to copy.
      fetch(button.dataset.copyFrom, { credentials: "same-origin", redirect: "error" })
        .then(function (reply) { return reply.ok ? reply.text() : Promise.reject(reply.status); })
        .then(function (text) { copied(button, text); }, function () { say(button, "Not available"); });
    } else if (button) {
      copied(button, button.dataset.copy);
    }
    document.querySelectorAll("details.confirm[open]").forEach(function (details) {
      if (!details.contains(event.target)) details.open = false;
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      document.querySelectorAll("details.confirm[open]").forEach(function (details) {
        details.open = false;
        details.querySelector("summary").focus();
      });
    }
    var typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      var find = document.getElementById("find");
      if (find) {
        event.preventDefault();
        find.focus();
      }
    }
  });

  document.addEventListener("htmx:load", function (event) { localize(event.detail.elt); });

  // What renews itself waits while somebody reads or uses it, and while nobody looks.
  document.addEventListener("htmx:beforeRequest", function (event) {
    var target = event.detail.target;
    if (event.detail.requestConfig.triggeringEvent || !target) return;
    var used = target.contains(document.activeElement) || target.querySelector("details[open]");
    if (document.hidden || used) event.preventDefault();
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    var open = event.detail.target && document.getElementById("event");
    if (!open) return;
    document.querySelectorAll("nav.beside a").forEach(function (link) {
      if (link.pathname === location.pathname) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  });

  // A row is shown once, the table stays short, and a new connection goes on after the last row.
  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    var id = event.detail.lastEventId;
    if (id && document.getElementById("e" + id)) event.preventDefault();
  });
  document.addEventListener("htmx:sseMessage", function (event) {
    var body = event.target;
    var address = new URL(body.getAttribute("sse-connect"), location.href);
    address.searchParams.set("after", event.detail.lastEventId);
    body.setAttribute("sse-connect", address.pathname + address.search);
    while (body.rows && body.rows.length > ROWS_MAX) body.deleteRow(-1);
    localize(body);
  });

  function tell(isLive) {
    var note = document.querySelector(".live-note");
    if (!note) return;
    note.classList.toggle("lost", !isLive);
    note.querySelector("span:last-child").textContent = isLive ? note.dataset.live : note.dataset.lost;
  }
  document.addEventListener("htmx:sseOpen", function () { tell(true); });
  document.addEventListener("htmx:sseError", function () { tell(false); });

  // On a phone the sections scroll: the one that is open is in sight.
  var current = document.querySelector(".side [aria-current]");
  if (current) current.parentNode.parentNode.scrollLeft = current.offsetLeft - 16;

  localize(document);
})();
