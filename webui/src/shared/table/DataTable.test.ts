// @vitest-environment happy-dom
import { mount, RouterLinkStub } from "@vue/test-utils";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { h, nextTick, ref } from "vue";
import { NOTHING } from "../format";
import DataTable from "./DataTable.vue";
import { headGroups, nextSort, sortRows, type Column } from "./table";

interface Study {
  id: number;
  name: string;
  dlp: number | null;
}
const STUDIES: Study[] = [
  { id: 1, name: "Head", dlp: 900 },
  { id: 2, name: "abdomen", dlp: null },
  { id: 3, name: "Chest", dlp: 1200 },
];
const COLUMNS: Column<Study>[] = [
  { key: "name", title: "Name", head: true, text: ({ name }) => name, sortBy: ({ name }) => name },
  {
    key: "dlp",
    title: "DLP",
    unit: "mGy·cm",
    number: true,
    text: ({ dlp }) => (dlp === null ? NOTHING : String(dlp)),
    sortBy: ({ dlp }) => dlp,
  },
];

beforeAll(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
});

function table(props: Record<string, unknown> = {}, slots: Record<string, unknown> = {}) {
  return mount(DataTable as never, {
    attachTo: document.body,
    props: {
      caption: "Studies",
      columns: COLUMNS,
      rows: STUDIES,
      rowKey: ({ id }: Study) => id,
      ...props,
    } as never,
    slots: slots as never,
    global: { stubs: { RouterLink: RouterLinkStub } },
  });
}
const names = (wrapper: ReturnType<typeof table>) =>
  wrapper.findAll("tbody th").map((cell) => cell.text());

describe("what screen readers are told", () => {
  it("is the table's name, its heads, the head of each row, and the box that scrolls", () => {
    const wrapper = table();
    expect(wrapper.find("caption").text()).toBe("Studies");
    expect(wrapper.find("[role=region]").attributes()).toMatchObject({
      "aria-label": "Studies",
      tabindex: "0",
    });
    expect(wrapper.findAll("thead th[scope=col]")).toHaveLength(2);
    expect(wrapper.findAll("tbody th[scope=row]").map((one) => one.text())).toEqual(
      STUDIES.map(({ name }) => name),
    );
    expect(wrapper.find("tbody td").classes()).toContain("number");
  });

  it("has no box that scrolls where the rows take the focus", () => {
    const wrapper = table({ frame: "none" });
    expect(wrapper.find("[role=region], [tabindex]").exists()).toBe(false);
  });

  it("names a column whose title is not shown", () => {
    const wrapper = table({ columns: [{ key: "act", title: "Actions", hidesTitle: true }] });
    expect(wrapper.find("thead th .visually-hidden").text()).toBe("Actions");
  });
});

describe("sorting", () => {
  it("is done with buttons, words from A and numbers from the largest, what is missing last", async () => {
    const wrapper = table();
    const [name, dlp] = wrapper.findAll("thead button");
    expect(wrapper.find("[aria-sort]").exists()).toBe(false);
    await name!.trigger("click");
    expect(names(wrapper)).toEqual(["abdomen", "Chest", "Head"]);
    expect(wrapper.find("[aria-sort=ascending]").text()).toContain("Name");
    await name!.trigger("click");
    expect(names(wrapper)).toEqual(["Head", "Chest", "abdomen"]);
    await dlp!.trigger("click");
    expect(names(wrapper)).toEqual(["Chest", "Head", "abdomen"]);
    expect(wrapper.find("[aria-sort=descending]").text()).toContain("DLP");
    await dlp!.trigger("click");
    expect(names(wrapper)).toEqual(["Head", "Chest", "abdomen"]);
  });

  it("is left to the page where columns only say that they can", async () => {
    const wrapper = table({ columns: [{ ...COLUMNS[0], sortBy: undefined, sortable: true }] });
    await wrapper.find("thead button").trigger("click");
    expect(wrapper.emitted("update:sort")).toEqual([[{ key: "name", down: false }]]);
    expect(names(wrapper)).toEqual(STUDIES.map(({ name }) => name));
  });

  it("is done with links where the order is part of the address", () => {
    const sortLink = ({ key, down }: { key: string; down: boolean }) => `?sort=${key}${down}`;
    const wrapper = table({ sortLink, sort: { key: "dlp", down: true } });
    const links = wrapper.findAllComponents(RouterLinkStub);
    expect(links.map((link) => link.props("to"))).toEqual(["?sort=namefalse", "?sort=dlpfalse"]);
    expect(wrapper.find("thead button").exists()).toBe(false);
  });

  it("leaves the rows that it was given as they were", () => {
    const rows = [...STUDIES];
    sortRows(rows, COLUMNS, { key: "dlp", down: true });
    expect(rows).toEqual(STUDIES);
    expect(nextSort({ key: "day", title: "", startsDown: true }, null).down).toBe(true);
  });
});

describe("rows", () => {
  it("are drawn in grey until they are there, and an empty table says so", async () => {
    const wrapper = table({ rows: null, loading: 3 }, { empty: () => "No studies" });
    expect(wrapper.find("table").exists()).toBe(false);
    expect(wrapper.findAll("span.bar")).toHaveLength(4);
    await wrapper.setProps({ rows: [] } as never);
    expect(wrapper.text()).toBe("No studies");
    await wrapper.setProps({ rows: STUDIES, busy: true } as never);
    expect(wrapper.find("[aria-busy=true]").exists()).toBe(true);
  });

  it("stand together in groups with heads over all columns", () => {
    const groups = [
      { key: "CT", rows: STUDIES.slice(0, 2) },
      { key: "MG", rows: STUDIES.slice(2) },
    ];
    const wrapper = table(
      { rows: undefined, groups },
      { group: ({ group }: { group: { key: string } }) => group.key },
    );
    expect(wrapper.findAll("tbody")).toHaveLength(2);
    const head = wrapper.find("tbody th[scope=rowgroup]");
    expect(head.text()).toBe("CT");
    expect(head.attributes("colspan")).toBe("2");
  });

  it("have cells across several columns, and more below them over the whole width", () => {
    const wrapper = table(
      {
        span: ({ id }: Study, { key }: { key: string }) => (id !== 2 ? 1 : key === "name" ? 2 : 0),
        below: ({ id }: Study) => id === 3,
      },
      { below: ({ row }: { row: Study }) => `more of ${row.id}` },
    );
    const rows = wrapper.findAll("tbody tr");
    expect(rows).toHaveLength(4);
    expect(rows[1]!.findAll("th, td").map((cell) => cell.attributes("colspan"))).toEqual(["2"]);
    expect(rows[3]!.text()).toBe("more of 3");
    expect(rows[3]!.find("td").attributes("colspan")).toBe("2");
  });

  it("take what a cell says from a slot", () => {
    const wrapper = table(
      {},
      { "cell-dlp": ({ row }: { row: Study }) => h("b", `${row.dlp ?? "none"}`) },
    );
    expect(wrapper.findAll("tbody td").map((cell) => cell.html())[1]).toContain("<b>none</b>");
  });

  it("can be chosen and unfolded, each by its name", async () => {
    const toggle = vi.fn();
    const unfold = vi.fn();
    const wrapper = table({
      tools: "Tools",
      selection: {
        state: ({ id }: Study) => (id === 1 ? true : id === 2 ? "some" : null),
        label: ({ name }: Study) => `Choose ${name}`,
        toggle,
        all: { label: "Choose all", state: "some", toggle },
      },
      unfolding: {
        open: ({ id }: Study) => id === 1,
        label: ({ name }: Study) => `Events of ${name}`,
        toggle: unfold,
      },
    });
    const boxes = wrapper.findAll("tbody input");
    expect(boxes.map((box) => box.attributes("aria-label"))).toEqual([
      "Choose Head",
      "Choose abdomen",
    ]);
    expect((boxes[1]!.element as HTMLInputElement).indeterminate).toBe(true);
    expect(wrapper.findAll("tbody tr.chosen")).toHaveLength(1);
    await boxes[1]!.setValue(true);
    expect(toggle).toHaveBeenCalledWith(STUDIES[1], true);
    const buttons = wrapper.findAll("tbody button");
    expect(buttons.map((button) => button.attributes("aria-expanded"))).toEqual([
      "true",
      "false",
      "false",
    ]);
    await buttons[2]!.trigger("click");
    expect(unfold).toHaveBeenCalledWith(STUDIES[2]);
    expect(wrapper.find("thead input").attributes("aria-label")).toBe("Choose all");
  });

  it("that open something are gone through with arrow keys", async () => {
    const wrapper = table(
      { rowsOpen: true },
      {
        "cell-name": ({ row }: { row: Study }) =>
          h("a", { href: "#", class: "row-link" }, row.name),
      },
    );
    const links = wrapper.findAll("a");
    (links[0]!.element as HTMLElement).focus();
    await links[0]!.trigger("keydown", { key: "ArrowDown" });
    expect(document.activeElement).toBe(links[1]!.element);
    await links[1]!.trigger("keydown", { key: "ArrowUp" });
    expect(document.activeElement).toBe(links[0]!.element);
    await links[0]!.trigger("keydown", { key: "ArrowDown", ctrlKey: true });
    expect(document.activeElement).toBe(links[0]!.element);
  });
});

it("puts titles over neighbours that share one, and never over others", () => {
  const column = (key: string, group?: string) => ({ key, title: key, group });
  const found = headGroups([column("a"), column("b", "B"), column("c", "B"), column("d")]);
  expect(found.map(({ title, columns }) => [title, columns.length])).toEqual([
    ["", 1],
    ["B", 2],
    ["", 1],
  ]);
  const wrapper = table({ columns: [column("a"), column("b", "B"), column("c", "B")] });
  const [first, second] = wrapper.findAll("thead tr");
  expect(first!.findAll("th").map((one) => one.attributes("rowspan"))).toEqual(["2", undefined]);
  expect(first!.find("th[scope=colgroup]").attributes("colspan")).toBe("2");
  expect(second!.findAll("th")).toHaveLength(2);
});

it("shows the heads and cells of columns that come later", async () => {
  const ids = ref([1]);
  const wrapper = mount(
    () =>
      h(
        DataTable as never,
        {
          caption: "Studies side by side",
          columns: ids.value.map((id) => ({ key: String(id), title: "" })),
          rows: [{}],
          rowKey: () => 0,
        },
        Object.fromEntries(
          ids.value.flatMap((id) => [
            [`head-${id}`, () => `Study ${id}`],
            [`cell-${id}`, () => `DLP ${id}`],
          ]),
        ),
      ),
    { attachTo: document.body },
  );
  ids.value = [1, 2];
  await nextTick();
  expect(wrapper.findAll("thead th").map((one) => one.text())).toEqual(["Study 1", "Study 2"]);
  expect(wrapper.findAll("tbody td").map((one) => one.text())).toEqual(["DLP 1", "DLP 2"]);
});
