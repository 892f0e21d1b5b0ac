"""Mutants of the command line, the page, the demo and the lab."""

from tests.mutants.runner import Mutant

FACES = (
    Mutant(
        "the page fetches private addresses for visitors",
        "imgsearch/web/query.py",
        "query = image_query(fetch_image(address), address)",
        "query = image_query(fetch_image(address, allow_private=True), address)",
        ("web/test_page.py", "hostile/test_addresses.py"),
    ),
    Mutant(
        "texts of strangers are not escaped",
        "imgsearch/html_report.py",
        "    return escape(line, quote=True)",
        "    return line",
        ("test_html_report.py", "web/test_cards.py"),
    ),
    Mutant(
        "attributes of strangers may end their quotes",
        "imgsearch/html_report.py",
        "    return escape(line, quote=True)",
        "    return escape(line, quote=False)",
        ("test_html_report.py", "web/test_cards.py"),
    ),
    Mutant(
        "addresses of any scheme become links",
        "imgsearch/web/cards.py",
        'if parts.scheme in ("http", "https") and host:',
        "if host:",
        ("web/test_cards.py",),
    ),
    Mutant(
        "any number of uploads is decoded at once",
        "imgsearch/web/query.py",
        "for file in files[:MOST_UPLOADS]:",
        "for file in files:",
        ("web/test_page.py", "hostile/test_uploads.py"),
    ),
    Mutant(
        "the page listens on every address",
        "imgsearch/web/server.py",
        '{"address": host, "port": port, "headless": True}',
        '{"address": "0.0.0.0", "port": port, "headless": True}',
        ("web/test_server.py",),
    ),
    Mutant(
        "the demo claims any directory",
        "imgsearch/cli/commands/demo.py",
        "    if index_paths(root).corpus_database.exists():",
        "    if False:",
        ("test_end_to_end.py::test_the_demo_refuses_a_directory_with_other_images",),
    ),
    Mutant(
        "the demo's site closes nothing to robots",
        "imgsearch/demo/pages.py",
        r'return "User-agent: *\nDisallow: /private/\n"',
        r'return "User-agent: *\nDisallow:\n"',
        ("demo/test_site.py",),
    ),
    Mutant(
        "a failed command ends with code 0",
        "imgsearch/cli/main.py",
        '    note(f"{PROGRAM}: {message}")\n    return 1',
        '    note(f"{PROGRAM}: {message}")\n    return 0',
        ("cli/test_main.py",),
    ),
    Mutant(
        "posts of the lecture keep their headers",
        "imgsearch/lab/posts.py",
        '    _, _, text = post.replace("\\r\\n", "\\n").partition("\\n\\n")',
        '    text = post.replace("\\r\\n", "\\n")',
        ("lab/test_posts.py",),
    ),
)
