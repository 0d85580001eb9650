# Does `caller` of prefetch.cpp still call when it is compiled for speed?
execute_process(COMMAND ${COMPILER} -std=c++20 -O2 -S -I${INCLUDE} -o - ${SOURCE}
                OUTPUT_VARIABLE assembly COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${assembly}" "caller" begin)
if(begin EQUAL -1)
    message(FATAL_ERROR "the assembly of ${SOURCE} has no function `caller`")
endif()
string(REGEX MATCH "\n[^\n]*caller[^\n]*:.*" body "${assembly}")
string(REGEX REPLACE "\n[^\n]*(\\.size|\\.cfi_endproc|\\.seh_endproc).*" "" body "${body}")
if(NOT body MATCHES "(call|jmp|bl?|tail)[ \t][^\n]*ask_for_them")
    message(FATAL_ERROR "the compiler has dropped a call that prefetches:\n${body}")
endif()
