@echo off
rem Starts Kvant from the parent of this script's folder.
setlocal
for %%I in ("%~dp0..") do set "KVANT_HOME=%%~fI"
set "KVANT_JAVA=java"
if defined JAVA_HOME set "KVANT_JAVA=%JAVA_HOME%\bin\java"
"%KVANT_JAVA%" -XX:+UseSerialGC -XX:Tier4InvocationThreshold=50000 -XX:Tier4CompileThreshold=150000 -Xlog:disable -Xlog:all=error:stderr --enable-native-access=ALL-UNNAMED -XX:+IgnoreUnrecognizedVMOptions --sun-misc-unsafe-memory-access=allow %JAVA_OPTS% %KVANT_JAVA_OPTS% "-Dkvant.home=%KVANT_HOME%" -cp "%KVANT_HOME%\lib\*" dev.kvant.cli.Main %*
exit /b %ERRORLEVEL%
