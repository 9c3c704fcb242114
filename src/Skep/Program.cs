using Skep.Commands;

return await CommandLine.RunAsync(args);
