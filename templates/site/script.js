// Search as you type, and buttons that copy. Everything else works without.
//
// Names are filed in small JSON files under what their words begin with: {e: [{k: key, n: name, s: summary, f: file}],
// d: [{p: prefix, f: file}]}. A search reads those on its way, never all of them.
"use strict";
(() => {
  const form = document.querySelector("form.search");
  const input = form.querySelector("input");
  const found = document.getElementById("found");
  const root = form.dataset.root;
  const limit = 40;
  const nodes = new Map();

  const load = (file) => {
    if (!nodes.has(file)) {
      const answer = fetch(`${root}search/${encodeURIComponent(file)}.json`).then((response) => {
        if (!response.ok) throw new Error(response.statusText);
        return response.json();
      });
      answer.catch(() => nodes.delete(file));
      nodes.set(file, answer);
    }
    return nodes.get(file);
  };

  // Packages that have all words: the longest one at the beginning of a word of the name, the others anywhere.
  const search = async (words) => {
    const [first] = [...words].sort((left, right) => right.length - left.length);
    const results = new Map();
    const top = await load("=");
    const few = top.d.length === 0;
    const queue = [top];
    for (let looked = 0; queue.length > 0 && results.size < limit && looked < 60; looked += 1) {
      const node = queue.shift();
      for (const entry of node.e) {
        const text = `${entry.n} ${entry.s}`.toLowerCase();
        if ((few || entry.k.startsWith(first)) && words.every((word) => text.includes(word))) results.set(entry.n, entry);
      }
      const below = node.d.filter(({ p }) => p.startsWith(first) || first.startsWith(p));
      queue.push(...(await Promise.all(below.slice(0, 12).map(({ f }) => load(f)))));
    }
    const begins = ({ n }) => Number(!n.toLowerCase().startsWith(words[0]));
    return [...results.values()].sort((left, right) => begins(left) - begins(right)).slice(0, limit);
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const show = (results, query) => {
    found.replaceChildren();
    found.hidden = false;
    if (results.length === 0) {
      const line = element("p", "", `Nothing begins with “${query}”. `);
      const all = element("a", "", "All packages");
      all.href = `${root}packages.html`;
      line.append(all);
      found.append(line);
      return;
    }
    const list = element("ul", "packages");
    for (const { n, s, f } of results) {
      const item = element("li");
      const link = element("a");
      link.href = `${root}packages/${encodeURIComponent(f)}.html`;
      link.append(element("span", "name", n));
      item.append(link, " ", element("span", "summary", s));
      list.append(item);
    }
    found.append(list);
  };

  let current = 0;
  const update = async () => {
    const query = input.value.trim();
    const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const mine = ++current;
    if (words.length === 0) {
      found.hidden = true;
      return;
    }
    try {
      const results = await search(words);
      if (mine === current) show(results, query);
    } catch {
      if (mine === current) show([], query);
    }
  };

  input.addEventListener("input", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = found.querySelector("a");
    if (!found.hidden && first) first.click();
  });
  // Arrow keys go through the results, "/" comes here from anywhere, Escape goes back.
  document.addEventListener("keydown", (event) => {
    const links = found.hidden ? [] : [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(input|textarea|select)$/i.test(event.target.tagName)) {
      event.preventDefault();
      input.focus();
    } else if (event.key === "Escape" && (event.target === input || at >= 0)) {
      input.value = "";
      input.focus();
      update();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (event.target === input || at >= 0)) {
      const next = event.key === "ArrowDown" ? at + 1 : at - 1;
      event.preventDefault();
      if (next < 0) input.focus();
      else if (next < links.length) links[next].focus();
    }
  });
  form.hidden = false;

  const wanted = new URLSearchParams(location.search).get("q");
  if (wanted) {
    input.value = wanted;
    update();
  }

  for (const block of document.querySelectorAll("pre.copy")) {
    if (!navigator.clipboard) break;
    const button = element("button", "", "Copy");
    const text = block.textContent;
    button.type = "button";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Failed";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.classList.add("ready");
    block.append(button);
  }

  // The address of a suite opens it.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
