# cmake -DPROGRAM=<program> -DFOLDER=<folder> -P run_fresh.cmake
# Runs the program, without arguments, in a folder that was emptied first; fails as it fails.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
execute_process(COMMAND ${PROGRAM} WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with ${result}")
endif()
