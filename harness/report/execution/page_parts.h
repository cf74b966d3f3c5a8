// The files page.html, page.css and page_*.js of this folder, embedded at build time (embed.cmake).
#ifndef HARNESS_REPORT_EXECUTION_PAGE_PARTS_H
#define HARNESS_REPORT_EXECUTION_PAGE_PARTS_H

extern const unsigned char page_html[], page_css[], page_js[]; // NUL-terminated

#endif
