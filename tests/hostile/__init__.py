"""Forty cases of a hostile or broken web; the tests of case N are named test_case_N_….

1-9, 12, 13  robots.txt, Crawl-delay and pace              (test_consent)
10, 11       X-Robots-Tag, meta robots, nofollow           (test_directives)
14-18        Retry-After, retries, broken and endless answers  (test_failure)
19-22        killed, stopped and concurrent crawls, full disks (test_failure_interrupted, test_failure_frontier)
23-26        keys of URLs, references, data: URLs          (test_discovery)
27           sitemaps                                      (test_sitemaps)
28           crawler traps                                 (test_traps)
29, 39       redirects, private addresses                  (test_addresses)
30-36        wrong types, bombs, odd and damaged images    (test_content)
37, 38       workers that crash, duplicate images          (test_content, and tests/corpus)
40           uploads                                       (test_uploads)
"""
