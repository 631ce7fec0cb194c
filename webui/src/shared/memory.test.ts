// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTick, ref } from "vue";
import { useKeptNames, useMemory } from "./memory";

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
});

describe("what the browser keeps", () => {
  it("is the text itself, there at once, and nothing where it is null", () => {
    const kept = useMemory("dose.theme");
    expect(kept.value).toBeNull();
    expect(localStorage.getItem("dose.theme")).toBeNull();
    kept.value = "dark";
    expect(localStorage.getItem("dose.theme")).toBe("dark");
    expect(useMemory("dose.theme").value).toBe("dark");
    kept.value = null;
    expect(localStorage.getItem("dose.theme")).toBeNull();
  });

  it("is of the key that stands there now", async () => {
    localStorage.setItem("columns.CT", '["dlp"]');
    localStorage.setItem("columns.MG", '["agd", 7]');
    localStorage.setItem("columns.DX", "{broken");
    const modality = ref("CT");
    const names = useKeptNames(() => `columns.${modality.value}`);
    expect(names.value).toEqual(["dlp"]);
    modality.value = "MG";
    await nextTick();
    expect(names.value).toEqual(["agd"]);
    modality.value = "DX";
    await nextTick();
    expect(names.value).toBeNull();
    names.value = ["dap"];
    expect(localStorage.getItem("columns.DX")).toBe('["dap"]');
    expect(localStorage.getItem("columns.CT")).toBe('["dlp"]');
  });

  it("lasts until the page is left where storage is full, without a word on the console", () => {
    const said = vi.spyOn(console, "error");
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const kept = useMemory("dose.days");
    kept.value = "7,30";
    expect(kept.value).toBe("7,30");
    expect(said).not.toHaveBeenCalled();
  });
});
